using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// New TCP connections from a sender to a server, each opened, closed by the server and then by the client. Their
/// number each second is below a port's budget of new flows; what counts is the processor time of the whole machine,
/// both ends included.
/// </summary>
internal sealed class ConnectionRate : ISide
{
    private const int ClientCount = 16;
    private const int ConnectionsInTurn = 8; // of one client, one after the other
    private const ushort FirstSourcePort = 10_000;
    private const ushort ServerPort = 80;
    private const int TurnsPerRun = 200;
    private const int WarmUpTurns = 100;
    private const double TicksPerSecond = 100; // USER_HZ, of /proc/stat

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(10); // 12,800 connections a second

    private readonly ITestbed _bed;
    private readonly TcpServer _server;
    private int _turns;

    /// <summary>Starts the server and opens connections until all code is compiled.</summary>
    /// <param name="bed">Between whom; disposed of with this.</param>
    internal ConnectionRate(ITestbed bed)
    {
        _bed = bed;

        // Addresses of the Internet behind the receiver: no connection has the addresses and ports of an earlier one.
        bed.Lab.Run(bed.Receiver, "ip route add local 198.18.0.0/15 dev lo");
        using NetworkNamespace receiver = bed.Lab.Open(bed.Receiver);
        _server = receiver.Run(() => new TcpServer(ServerPort));
        Run(WarmUpTurns);
    }

    /// <summary>Connections for each second of a core's time.</summary>
    public double[] Measure() => [Run(TurnsPerRun)];

    /// <inheritdoc />
    public void Dispose()
    {
        _server.Dispose();
        _bed.Dispose();
    }

    private double Run(int turns)
    {
        int first = _turns;
        _turns += turns;
        Exception? fault = null;
        using Barrier start = new(ClientCount + 1);
        Thread[] clients =
        [
            .. Enumerable.Range(0, ClientCount).Select(client => new Thread(() =>
            {
                using NetworkNamespace space = _bed.Lab.Open(_bed.Sender);
                space.EnterForThisThread();
                start.SignalAndWait();
                try
                {
                    for (int turn = 0; turn < turns; turn++) Open(client, first + turn);
                }
                catch (InvalidOperationException e)
                {
                    fault = e;
                }
            })),
        ];
        foreach (Thread client in clients) client.Start();
        start.SignalAndWait();
        (long begin, double idle) = (Stopwatch.GetTimestamp(), IdleSeconds());
        foreach (Thread client in clients) client.Join();
        if (fault is not null) throw fault;
        double busy = (Stopwatch.GetElapsedTime(begin).TotalSeconds * Environment.ProcessorCount)
            - (IdleSeconds() - idle);
        return turns * ClientCount * ConnectionsInTurn / busy;
    }

    /// <summary>A client's connections of one turn, then a rest until the next.</summary>
    private static void Open(int client, int turn)
    {
        long begin = Stopwatch.GetTimestamp();
        uint destination = 0xc6120000u + (uint)turn; // 198.18.0.0/15
        for (int i = 0; i < ConnectionsInTurn; i++)
        {
            ushort port = (ushort)(FirstSourcePort + (client * ConnectionsInTurn) + i);
            TcpClient.Connect(port, destination, ServerPort);
        }

        TimeSpan rest = Turn - Stopwatch.GetElapsedTime(begin);
        if (rest > TimeSpan.Zero) Thread.Sleep(rest);
    }

    private static double IdleSeconds()
    {
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (long.Parse(fields[4], CultureInfo.InvariantCulture)
            + long.Parse(fields[5], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
