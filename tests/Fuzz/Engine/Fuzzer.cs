using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Fuzz.Coverage;

namespace Genkan.Fuzz.Engine;

/// <summary>A fault that was found.</summary>
/// <param name="Input">The shortest input found that shows it.</param>
/// <param name="Fault">What goes wrong.</param>
/// <param name="Execution">Number of the run that found it.</param>
public sealed record Crash(byte[] Input, Fault Fault, long Execution);

/// <summary>
/// Mutates inputs, and keeps those that reach what none reached before. Its chance comes from a seed alone.
/// </summary>
public sealed class Fuzzer
{
    /// <summary>Inputs kept at most.</summary>
    public const int CorpusMax = 8192;

    /// <summary>Different faults kept at most; a target that has so many is broken enough.</summary>
    public const int CrashesMax = 32;

    private const int MinimizeRunsMax = 2000;
    private const int MutationsMax = 6;

    private readonly IFuzzTarget _target;
    private readonly FuzzRandom _random;
    private readonly List<byte[]> _corpus = [];
    private readonly byte[] _seen = new byte[EdgeMap.Size];
    private readonly byte[] _buffer;
    private readonly Dictionary<string, Crash> _crashes = new(StringComparer.Ordinal);

    /// <summary>Begins with the seeds of a target and more.</summary>
    /// <param name="target">The target.</param>
    /// <param name="seed">Where all chance comes from.</param>
    /// <param name="more">Inputs of files.</param>
    public Fuzzer(IFuzzTarget target, ulong seed, IEnumerable<byte[]> more)
    {
        _target = target;
        _random = new FuzzRandom(seed);
        _buffer = new byte[target.InputMax];
        foreach (byte[] input in target.Seeds) Add(input);
        foreach (byte[] input in more) Add(input);
        if (_corpus.Count == 0) _corpus.Add([]);
    }

    /// <summary>Runs so far.</summary>
    public long ExecutionCount { get; private set; }

    /// <summary>Edges reached.</summary>
    public int EdgeCount { get; private set; }

    /// <summary>Inputs kept.</summary>
    public int CorpusCount => _corpus.Count;

    /// <summary>Inputs kept, the newest last.</summary>
    public IReadOnlyList<byte[]> Corpus => _corpus;

    /// <summary>Faults found.</summary>
    public IReadOnlyCollection<Crash> Crashes => _crashes.Values;

    /// <summary>Makes an input and runs it.</summary>
    public void Step()
    {
        // Half of the time one of the newest: they stand at the border of what is known.
        int recent = Math.Min(_corpus.Count, 32);
        int picked = _random.OneIn(2) ? _corpus.Count - 1 - _random.Below(recent) : _random.Below(_corpus.Count);
        byte[] parent = _corpus[picked];
        parent.CopyTo(_buffer, 0);
        int length = parent.Length;
        for (int i = _random.Below(MutationsMax); i >= 0; i--)
        {
            length = _random.OneIn(2)
                ? _target.Mutate(_buffer, length, _random)
                : BlindMutator.Mutate(
                    _buffer, length, _target.Words, _corpus[_random.Below(_corpus.Count)], _random);
        }

        Execute(_buffer.AsSpan(0, length));
    }

    private void Add(byte[] input)
    {
        if (input.Length <= _target.InputMax) Execute(input);
    }

    private void Execute(ReadOnlySpan<byte> input)
    {
        ExecutionCount++;
        Fault? fault = ContractRunner.TryRun(_target, input);
        if (fault is not null)
        {
            if (_crashes.Count < CrashesMax && !_crashes.ContainsKey(fault.Kind))
                _crashes.Add(fault.Kind, new Crash(Minimize(input.ToArray(), fault), fault, ExecutionCount));
            return;
        }

        if (IsNew() && _corpus.Count < CorpusMax) _corpus.Add(input.ToArray());
    }

    /// <summary>Whether the last run took an edge, or took it about as often, as no run did before.</summary>
    private bool IsNew()
    {
        // Most counters are zero, so they are looked at eight at a time.
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(EdgeMap.Edges);
        bool isNew = false;
        for (int i = 0; i < words.Length; i++)
        {
            if (words[i] != 0) isNew |= Note(i * sizeof(ulong));
        }

        return isNew;
    }

    private bool Note(int at)
    {
        bool isNew = false;
        foreach (byte count in EdgeMap.Edges.Slice(at, sizeof(ulong)))
        {
            ref byte seen = ref _seen[at++];
            byte bucket = BucketOf(count);
            if ((seen & bucket) == bucket) continue;
            if (seen == 0) EdgeCount++;
            seen |= bucket;
            isNew = true;
        }

        return isNew;
    }

    private static byte BucketOf(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };

    /// <summary>Takes away what the fault does not need: parts, halved from half of the input to single octets, then
    /// values.</summary>
    private byte[] Minimize(byte[] input, Fault fault)
    {
        int runs = 0;
        bool Shows(byte[] candidate) =>
            runs++ < MinimizeRunsMax && ContractRunner.TryRun(_target, candidate)?.Kind == fault.Kind;

        for (int part = Math.Max(1, input.Length / 2); part > 0; part /= 2)
        {
            for (int at = 0; at + part <= input.Length;)
            {
                byte[] shorter = [.. input[..at], .. input[(at + part)..]];
                if (Shows(shorter)) input = shorter;
                else at += part;
            }
        }

        for (int at = 0; at < input.Length; at++)
        {
            if (input[at] == 0) continue;
            byte[] plainer = [.. input];
            plainer[at] = 0;
            if (Shows(plainer)) input = plainer;
        }

        return input;
    }
}
