using System;
using System.Collections.Generic;
using Genkan.Fuzz.Engine;

namespace Genkan.Fuzz.Planted;

/// <summary>
/// A parser with four faults, one of each kind that the fuzzer must find: an exception, a loop without an end, a
/// recursion without an end, and more memory than its input is worth. Behind "GK", a version and a chain of values.
/// </summary>
internal sealed class PlantedTarget : IFuzzTarget
{
    /// <summary>Its name.</summary>
    public const string TargetName = "planted";

    public string Name => TargetName;

    public int InputMax => 256;

    public (int EachOctet, int Besides)? AllocationMax => (64, 4096);

    public (int EachOctet, int Besides) StepsMax => (256, 10_000);

    public IEnumerable<byte[]> Seeds => [[1, 2, 3, 4]];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 4) return;
        if (input[0] != 'G') return;
        if (input[1] != 'K') return;
        if (input[2] != 3) return;
        Values(input[3..]);
    }

    private static void Values(ReadOnlySpan<byte> values)
    {
        while (values.Length >= 2)
        {
            int length = values[1];
            switch (values[0])
            {
                case 4 when length < values.Length:
                    _ = values[2 + length]; // one too far
                    break;
                case 5:
                    Values(values[(2 * Math.Min(1, length))..]); // a length of 0 does not get on
                    return;
                case 9:
                    GC.KeepAlive(new byte[length << 10]);
                    break;
            }

            if (2 + length > values.Length) return;
            values = values[(values[0] == 7 ? length : 2 + length)..]; // so does this
        }
    }
}
