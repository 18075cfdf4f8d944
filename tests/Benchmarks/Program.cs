using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Benchmarks;

/// <summary>
/// Lists the benchmarks, or runs the named ones. Exit code: 0 all bars reached, 1 a bar missed or a benchmark failed, 2
/// misused, 130 interrupted.
/// </summary>
internal static class Program
{
    private const int RunsMin = 5;
    private const int MissedExitCode = 1;
    private const int InterruptedExitCode = 130;

    private readonly record struct Options(bool Json, bool PeerOnly, int Runs);

    private static int Main(string[] args)
    {
        Options options = new(Json: false, PeerOnly: false, RunsMin);
        List<string> names = [];
        foreach (string arg in args)
        {
            int runs = 0;
            if (arg == "--json") options = options with { Json = true };
            else if (arg == "--peer-only") options = options with { PeerOnly = true };
            else if (TryReadCount(arg, "--restarts=", ref runs)) RestartLoss.RestartCount = runs;
            else if (TryReadCount(arg, "--runs=", ref runs)) options = options with { Runs = runs };
            else if (arg is "-h" or "--help") return List(Catalogue.Make());
            else if (arg.StartsWith('-')) return Refuse($"unknown option '{arg}'");
            else names.Add(arg);
        }

        IBenchmark[] all = Catalogue.Make();
        if (names.Count == 0) return List(all);
        string? unknown = names.Find(name => name != "all" && !Array.Exists(all, b => b.Name == name));
        if (unknown is not null) return Refuse($"there is no benchmark '{unknown}'; without a name they are listed");
        if (!Environment.IsPrivilegedProcess) return Refuse("namespaces and BPF need root: sudo tests/bench …");
        return RunAll([.. all.Where(b => names.Contains("all") || names.Contains(b.Name))], options);
    }

    private static int RunAll(IBenchmark[] benchmarks, Options options)
    {
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        Lab.RemoveLeftovers();
        List<Result> results = [];
        List<string> failed = [];
        foreach (IBenchmark benchmark in benchmarks)
        {
            if (Lab.IsClosing) return InterruptedExitCode;
            try
            {
                ImmutableArray<Result> measured;
                using (benchmark) measured = Measure(benchmark, options);
                results.AddRange(measured);
                foreach (Result r in measured.Where(_ => options.Json)) Console.Out.WriteLine(r.ToJson());
            }
            catch (Exception e) when (e is InvalidOperationException or KernelException or IOException)
            {
                failed.Add(benchmark.Name);
                Console.Error.WriteLine($"{benchmark.Name}: {e.Message}");
            }
            finally
            {
                Lab.DisposeAll(); // also what a failed preparation left
            }
        }

        if (Lab.IsClosing) return InterruptedExitCode;
        if (!options.Json) Result.WriteTable(Console.Out, results);
        Result.WriteSummary(options.Json ? Console.Error : Console.Out, results, failed);
        return failed.Count > 0 || results.Exists(r => r.IsReached == false) ? MissedExitCode : 0;
    }

    /// <summary>
    /// Ours and the peer by turns; who is first changes with each turn, so that none always has the warmer machine.
    /// </summary>
    private static ImmutableArray<Result> Measure(IBenchmark benchmark, Options options)
    {
        Console.Error.WriteLine($"{benchmark.Name}: preparing");
        if (benchmark.Peer is not null) benchmark.PreparePeer();
        if (!options.PeerOnly) benchmark.PrepareOurs();
        List<double[]> ours = [];
        List<double[]> peers = [];
        for (int run = 0; run < options.Runs; run++)
        {
            bool oursFirst = run % 2 == 0;
            if (oursFirst && !options.PeerOnly) ours.Add(benchmark.RunOurs());
            if (benchmark.Peer is not null) peers.Add(benchmark.RunPeer());
            if (!oursFirst && !options.PeerOnly) ours.Add(benchmark.RunOurs());
            string said = string.Join("; ", benchmark.Figures.Select((f, i) => Last(f, i, ours, peers)));
            Console.Error.WriteLine($"{benchmark.Name}: run {run + 1} of {options.Runs}: {said}");
        }

        return [.. benchmark.Figures.Select((figure, i) =>
            Over(benchmark, figure, ValuesOf(ours, i), ValuesOf(peers, i), options))];
    }

    private static Result Over(IBenchmark benchmark, Figure figure, double[] ours, double[] peers, Options options)
    {
        double[] ratios = [.. ours.Zip(peers).Where(turn => turn.Second > 0).Select(turn => turn.First / turn.Second)];
        return new Result(
            benchmark, figure, figure.Of(ours), figure.Of(peers), figure.Of(ratios), options.Runs);
    }

    /// <summary>One figure's values; a side that does not have the figure gives none.</summary>
    private static double[] ValuesOf(List<double[]> runs, int index) =>
        [.. runs.Where(values => index < values.Length).Select(values => values[index])];

    private static string Last(Figure figure, int index, List<double[]> ours, List<double[]> peers)
    {
        string name = figure.Name.Length > 0 ? figure.Name + " " : "";
        return name + Last("ours", ValuesOf(ours, index)) + Last("peer", ValuesOf(peers, index)) + figure.Unit;
    }

    private static string Last(string side, double[] values) =>
        values.Length > 0 ? string.Create(CultureInfo.InvariantCulture, $"{side} {values[^1]:G4} ") : "";

    private static void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        Lab.DisposeAll(forGood: true);
        Environment.Exit(InterruptedExitCode);
    }

    private static int List(IBenchmark[] all)
    {
        Console.Out.WriteLine("usage: sudo tests/bench [--json] [--runs=N] [--restarts=N] [--peer-only] NAME… | all");
        Console.Out.WriteLine("  --json         one line of JSON for each figure, instead of a table");
        Console.Out.WriteLine("  --runs=N       turns of both sides, 5 if nothing is said");
        Console.Out.WriteLine("  --restarts=N   restarts in a run of restart-loss or upgrade-loss, 20 if not said");
        Console.Out.WriteLine("  --peer-only    the peer alone");
        Console.Out.WriteLine("benchmarks:");
        int width = all.Max(b => b.Name.Length);
        foreach (IBenchmark b in all) Console.Out.WriteLine($"  {b.Name.PadRight(width)}  {b.Summary}");
        return 0;
    }

    private static bool TryReadCount(string arg, string option, ref int count) =>
        arg.StartsWith(option, StringComparison.Ordinal)
        && int.TryParse(arg[option.Length..], CultureInfo.InvariantCulture, out count) && count >= 1;

    private static int Refuse(string message)
    {
        Console.Error.WriteLine("bench: " + message);
        return 2;
    }
}
