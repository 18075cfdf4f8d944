using System;
using System.Collections.Generic;

namespace Genkan.Fuzz.Engine;

/// <summary>What holds for every input was broken.</summary>
public sealed class ContractException(string message) : Exception(message);

/// <summary>
/// Code under test, as a function of octets. The contract of every target: no exception, steps and allocated octets at
/// most a factor times the input and a constant, and what <see cref="Run"/> itself checks.
/// </summary>
public interface IFuzzTarget
{
    /// <summary>Its name on the command line and of its folders.</summary>
    string Name { get; }

    /// <summary>Octets of the longest input.</summary>
    int InputMax { get; }

    /// <summary>Octets that it may allocate for an octet of input, and besides; null: not measured.</summary>
    (int EachOctet, int Besides)? AllocationMax { get; }

    /// <summary>Basic blocks that it may enter for an octet of input, and besides.</summary>
    (int EachOctet, int Besides) StepsMax { get; }

    /// <summary>Inputs to begin with, beside those of its folder.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>Words of the input's language, inserted now and then.</summary>
    IReadOnlyList<byte[]> Words => [];

    /// <summary>Runs one input.</summary>
    /// <exception cref="ContractException">It broke the contract.</exception>
    void Run(ReadOnlySpan<byte> input);

    /// <summary>Changes an input by what it means.</summary>
    /// <param name="buffer">Room for the longest input; holds the input at its start.</param>
    /// <param name="length">Its octets.</param>
    /// <param name="random">Chance.</param>
    /// <returns>Its new length.</returns>
    int Mutate(Span<byte> buffer, int length, FuzzRandom random) => length;
}
