using System;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Genkan.Benchmarks.Ours;

namespace Genkan.Benchmarks;

/// <summary>
/// Packets that are lost while the agent is killed and started again under traffic; the control is the same traffic
/// over the same host in peace. The worst run counts: one lost packet in a hundred restarts is one too many.
/// </summary>
/// <param name="name">What the command line calls it.</param>
/// <param name="otherLayout">Whether the tables have another layout while the agent is away.</param>
internal sealed class RestartLoss(string name, bool otherLayout) : IBenchmark
{
    private static readonly TimeSpan ControlMax = TimeSpan.FromSeconds(20);

    private RestartLab? _lab;
    private TimeSpan _lasted = ControlMax;

    /// <summary>Restarts in each run.</summary>
    internal static int RestartCount { get; set; } = 20;

    /// <inheritdoc />
    public string Name => name;

    /// <inheritdoc />
    public string Summary => otherLayout
        ? "packets lost while the tables change their layout, down and up again, and the agent with them; bar 0"
        : "packets lost while the agent is killed and started again, 20 times a run; bar 0";

    /// <inheritdoc />
    public string? Peer => "the same traffic without restarts";

    /// <inheritdoc />
    public ImmutableArray<Figure> Figures { get; } =
        [new Figure("packets", LowerIsBetter: true, Bar: Bar.Value(0), OverRuns: OverRuns.Worst)];

    /// <inheritdoc />
    public void PrepareOurs() => _lab ??= new RestartLab();

    /// <inheritdoc />
    public void PreparePeer() => _lab ??= new RestartLab();

    /// <inheritdoc />
    public double[] RunOurs()
    {
        long began = Stopwatch.GetTimestamp();
        RestartFigures figures = _lab!.Measure(lab =>
        {
            for (int i = 0; i < RestartCount; i++) lab.Restart(otherLayout);
        });
        _lasted = Stopwatch.GetElapsedTime(began);
        Report($"{RestartCount} restarts", figures);
        return [figures.Lost];
    }

    /// <inheritdoc />
    public double[] RunPeer()
    {
        TimeSpan time = _lasted < ControlMax ? _lasted : ControlMax;
        RestartFigures figures = _lab!.Measure(_ => System.Threading.Thread.Sleep(time));
        Report("control", figures);
        return [figures.Lost];
    }

    /// <inheritdoc />
    public void Dispose() => _lab?.Dispose();

    private void Report(string what, RestartFigures f) => Console.Error.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: {what}: {f.Sent} packets in {f.Seconds:F1} s ({f.Sent / f.Seconds / 2:F0}/s each way), "
        + $"{f.Lost} lost, "
        + $"{f.Doubled} doubled, {f.Overtaken} overtaken, {f.Strange} from another tuple; first packets of new flows: "
        + $"{f.FirstSent} sent to a dead agent, {f.FirstLost} lost; TCP: {f.TcpOctets >> 20} MiB, "
        + $"{f.TcpRetransmits} segments again"));
}
