using System;
using System.Text.Json;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// One TCP connection by iperf3 from one namespace to another, with the congestion control that Linux has by default. A
/// machine that prefers BBR would measure BBR: it paces by its own estimate, which at round trips of microseconds is
/// anything from half of what the path carries.
/// </summary>
internal sealed class TcpTransfer : ISide
{
    private const string CongestionControl = "cubic";
    private const int Seconds = 3;
    private const int WarmUpSeconds = 1;

    private readonly ITestbed _bed;

    /// <summary>Starts the server and waits until it listens.</summary>
    /// <param name="bed">Between whom; disposed of with this.</param>
    internal TcpTransfer(ITestbed bed)
    {
        _bed = bed;
        StartServer(bed.Lab, bed.Receiver);
    }

    /// <summary>Starts a server and waits until it listens.</summary>
    internal static void StartServer(Lab lab, string receiver)
    {
        if (!Shell.Has("iperf3")) throw new InvalidOperationException("iperf3 is missing: apt-get install iperf3");
        lab.Start(receiver, "iperf3 --server --forceflush", until: "listening");
    }

    /// <summary>One transfer to a server: gigabits each second, received, after the window has opened.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="sender">Namespace of the client.</param>
    /// <param name="address">Address of the server.</param>
    /// <param name="cores">Core of the client, comma, core of the server: else the scheduler's luck is
    /// measured.</param>
    /// <exception cref="InvalidOperationException">iperf3 says why there was none.</exception>
    internal static double Run(Lab lab, string sender, string address, string cores)
    {
        string json = lab.Run(
            sender,
            $"iperf3 --client {address} --affinity {cores} --congestion {CongestionControl} "
                + $"--time {Seconds} --omit {WarmUpSeconds} --json");
        using JsonDocument document = JsonDocument.Parse(json);
        if (document.RootElement.TryGetProperty("error", out JsonElement error))
            throw new InvalidOperationException($"iperf3 from {sender} to {address}: {error.GetString()}");
        JsonElement received = document.RootElement.GetProperty("end").GetProperty("sum_received");
        return received.GetProperty("bits_per_second").GetDouble() / 1e9;
    }

    /// <summary>Gigabits each second, received, after the window has opened.</summary>
    public double[] Measure() =>
        [Run(_bed.Lab, _bed.Sender, _bed.ReceiverAddress, $"0,{Environment.ProcessorCount - 1}")];

    /// <inheritdoc />
    public void Dispose() => _bed.Dispose();
}
