using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Fuzz.Targets;

namespace Genkan.Fuzz;

/// <summary>One use of the fuzzer: targets, for a time or a number of runs each.</summary>
public static class Session
{
    /// <summary>Exit code if nothing was found.</summary>
    public const int Clean = 0;

    /// <summary>Exit code if a contract was broken.</summary>
    public const int Found = 1;

    /// <summary>Exit code if the words make no sense.</summary>
    public const int Usage = 2;

    private const int StepsBetweenLooks = 256;
    private static readonly TimeSpan Progress = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TimeEach = TimeSpan.FromMinutes(1);

    static Session()
    {
        // An assertion of the product that fails is a fault like any other; by default it ends the process.
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new AssertionListener());
    }

    private sealed record Options
    {
        public List<IFuzzTarget> Targets { get; } = [];
        public ulong Seed { get; set; } = 1;
        public TimeSpan? TimeMax { get; set; }
        public long RunsMax { get; set; } = long.MaxValue;
        public string Crashes { get; set; } = InputFiles.Crashes;
        public string? Replay { get; set; }
        public string? Keep { get; set; }
    }

    /// <summary>Runs.</summary>
    /// <param name="arguments">As of <c>tests/fuzz</c>.</param>
    /// <param name="output">What is said.</param>
    /// <param name="isStopping">Asked now and then.</param>
    /// <returns>Exit code.</returns>
    public static int Run(string[] arguments, TextWriter output, Func<bool> isStopping)
    {
        if (arguments is ["-h" or "--help", ..])
        {
            WriteUsage(output);
            return Clean;
        }

        if (!TryRead(arguments, out Options options, out string problem))
        {
            output.WriteLine($"fuzz: {problem}");
            WriteUsage(output);
            return Usage;
        }

        if (options.Replay is not null) return Replay(options, output);
        int code = Clean;
        foreach (IFuzzTarget target in options.Targets)
        {
            if (isStopping()) break;
            if (Fuzz(target, options, output, isStopping) > 0) code = Found;
        }

        return code;
    }

    private static void WriteUsage(TextWriter output)
    {
        output.WriteLine("""
            usage: tests/fuzz [TARGET…] [OPTION…]      without a target all of them, by turns
              --seconds N    time for each target, 60 if nothing is said
              --runs N       runs for each target
              --seed N       another sequence; 1 if nothing is said
              --replay FILE  run one input of the target named
              --keep DIR     begin with the inputs of an earlier run, and leave those of this one
              --crashes DIR  where crashes go, tests/Fuzz/Crashes if nothing is said
            """);
        output.WriteLine($"targets: {string.Join(' ', AllTargets.All.Select(static t => t.Name))}");
    }

    private static int Replay(Options options, TextWriter output)
    {
        Fault? fault = ContractRunner.TryRun(options.Targets[0], InputFiles.Read(options.Replay!));
        output.WriteLine(fault?.Text ?? "nothing is wrong");
        return fault is null ? Clean : Found;
    }

    private static int Fuzz(IFuzzTarget target, Options options, TextWriter output, Func<bool> isStopping)
    {
        Stopwatch time = Stopwatch.StartNew();
        IEnumerable<byte[]> files = InputFiles.CorpusOf(target.Name);
        files = files.Concat(InputFiles.ReadAll(Path.Combine(options.Crashes, target.Name)));
        if (options.Keep is not null) files = files.Concat(InputFiles.ReadAll(Path.Combine(options.Keep, target.Name)));
        Fuzzer fuzzer = new(target, options.Seed, files);
        TimeSpan next = Progress;
        int told = 0;
        while (fuzzer.ExecutionCount < options.RunsMax && !(time.Elapsed >= options.TimeMax) && !isStopping())
        {
            for (int i = 0; i < StepsBetweenLooks && fuzzer.ExecutionCount < options.RunsMax; i++) fuzzer.Step();
            if (fuzzer.Crashes.Count == told && time.Elapsed < next) continue;
            if (time.Elapsed >= next) next = time.Elapsed + Progress;
            foreach (Crash crash in fuzzer.Crashes.Skip(told)) Tell(target, options, crash, output);
            told = fuzzer.Crashes.Count;
            Say(target, fuzzer, time.Elapsed, options.Seed, output);
        }

        foreach (Crash crash in fuzzer.Crashes.Skip(told)) Tell(target, options, crash, output);
        if (options.Keep is not null) KeepCorpus(target, fuzzer, options.Keep);
        Say(target, fuzzer, time.Elapsed, options.Seed, output);
        return fuzzer.Crashes.Count;
    }

    private static void Tell(IFuzzTarget target, Options options, Crash crash, TextWriter output)
    {
        string path = InputFiles.Write(options.Crashes, target.Name, options.Seed, crash);
        output.WriteLine($"{target.Name}: {crash.Fault.Text}");
        output.WriteLine($"{target.Name}: see {path}; again by: tests/fuzz {target.Name} --replay {path}");
    }

    private static void Say(IFuzzTarget target, Fuzzer fuzzer, TimeSpan time, ulong seed, TextWriter output) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{target.Name,-12} {time.TotalSeconds,6:F1} s  seed {seed}  {fuzzer.ExecutionCount,10} runs  "
            + $"{fuzzer.ExecutionCount / Math.Max(0.001, time.TotalSeconds),8:F0}/s  {fuzzer.EdgeCount,6} edges  "
            + $"{fuzzer.CorpusCount,5} inputs  {fuzzer.Crashes.Count} crashes"));

    private static void KeepCorpus(IFuzzTarget target, Fuzzer fuzzer, string folder)
    {
        string path = Path.Combine(folder, target.Name);
        Directory.CreateDirectory(path);
        for (int i = 0; i < fuzzer.Corpus.Count; i++)
            File.WriteAllBytes(Path.Combine(path, i.ToString("d5", CultureInfo.InvariantCulture)), fuzzer.Corpus[i]);
    }

    private static bool TryRead(string[] arguments, out Options options, out string problem)
    {
        (options, problem) = (new Options(), "");
        Queue<string> words = new(arguments);
        while (words.TryDequeue(out string? word))
        {
            if (!word.StartsWith("--", StringComparison.Ordinal))
            {
                if (AllTargets.Find(word) is not { } target) problem = $"there is no target '{word}'";
                else options.Targets.Add(target);
                continue;
            }

            if (!words.TryDequeue(out string? value)) problem = $"{word} needs a value";
            else if (!TrySet(options, word, value)) problem = $"'{word} {value}' is not understood";
        }

        if (options is { TimeMax: null, RunsMax: long.MaxValue }) options.TimeMax = TimeEach;
        if (options.Targets.Count == 0) options.Targets.AddRange(AllTargets.All);
        return problem.Length == 0;
    }

    private static bool TrySet(Options options, string word, string value)
    {
        bool isNumber = ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number);
        switch (word)
        {
            case "--seconds" when isNumber: options.TimeMax = TimeSpan.FromSeconds(number); return true;
            case "--runs" when isNumber: options.RunsMax = (long)number; return true;
            case "--seed" when isNumber: options.Seed = number; return true;
            case "--crashes": options.Crashes = value; return true;
            case "--replay": options.Replay = value; return File.Exists(value);
            case "--keep": options.Keep = value; return true;
            default: return false;
        }
    }

    private sealed class AssertionListener : TraceListener
    {
        public override void Fail(string? message, string? detailMessage) =>
            throw new ContractException($"an assertion holds: {message} {detailMessage}");

        public override void Write(string? message)
        {
            // Assertions alone are of interest.
        }

        public override void WriteLine(string? message)
        {
            // Assertions alone are of interest.
        }
    }
}
