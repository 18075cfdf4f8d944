using System;
using System.Collections.Generic;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>Choices from a seed: the same seed, the same choices on every machine.</summary>
internal sealed class Chance(int seed)
{
    private readonly Random _random = new(seed);

    public int Below(int count) => _random.Next(count);

    public bool OneIn(int count) => _random.Next(count) == 0;

    public T Of<T>(params ReadOnlySpan<T> values) => values[_random.Next(values.Length)];

    public T From<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];

    public byte[] Octets(int count)
    {
        byte[] octets = new byte[count];
        _random.NextBytes(octets);
        return octets;
    }
}
