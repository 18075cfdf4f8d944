using System;
using System.Text.Json;

namespace Genkan.Benchmarks.Traffic;

/// <summary>One TCP connection by iperf3 from one namespace to another.</summary>
internal sealed class TcpTransfer
{
    private const int Seconds = 3;
    private const int WarmUpSeconds = 1;

    private readonly Lab _lab;
    private readonly string _client;
    private readonly string _address;

    /// <summary>Starts the server and waits until it listens.</summary>
    internal TcpTransfer(Lab lab, string client, string server, string serverAddress)
    {
        if (!Shell.Has("iperf3")) throw new InvalidOperationException("iperf3 is missing: apt-get install iperf3");
        (_lab, _client, _address) = (lab, client, serverAddress);
        lab.Start(server, "iperf3 --server --forceflush", until: "listening");
    }

    /// <summary>Gigabits each second, received, after the window has opened.</summary>
    internal double Measure()
    {
        string cores = $"0,{Environment.ProcessorCount - 1}"; // client, server: else the scheduler's luck is measured
        string json = _lab.Run(
            _client, $"iperf3 --client {_address} --affinity {cores} --time {Seconds} --omit {WarmUpSeconds} --json");
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("end").GetProperty("sum_received")
            .GetProperty("bits_per_second").GetDouble() / 1e9;
    }
}
