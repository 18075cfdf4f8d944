using System;
using System.Numerics;

namespace Genkan.Fuzz.Engine;

/// <summary>SplitMix64: chance that a seed repeats on every machine.</summary>
public sealed class FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to below <paramref name="end"/>, which is at least 1.</summary>
    public int Below(int end) => (int)Math.BigMul(Next(), (ulong)end, out _);

    /// <summary>True once in <paramref name="n"/>.</summary>
    public bool OneIn(int n) => Below(n) == 0;

    /// <summary>An octet.</summary>
    public byte Octet() => (byte)Next();

    /// <summary>A length from 1 to <paramref name="max"/>, mostly short.</summary>
    public int Length(int max) => 1 + Below(Math.Max(1, Math.Min(max, 1 << Below(BitOperations.Log2((uint)max) + 2))));

    /// <summary>One of several.</summary>
    public T Of<T>(ReadOnlySpan<T> items) => items[Below(items.Length)];
}
