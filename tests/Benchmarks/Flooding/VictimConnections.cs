using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Genkan.Benchmarks.Traffic;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Flooding;

/// <summary>
/// New TCP connections of a VM to the Internet, as many as a core makes: each opened, closed by the server and then by
/// the client, then the next. A lost SYN costs its client the second that TCP waits before it sends another one.
/// </summary>
internal sealed class VictimConnections : IDisposable
{
    private const int ClientCount = 16;
    private const ushort FirstSourcePort = 10_000;
    private const int PortsPerClient = 8;
    private const ushort ServerPort = 80;
    private const uint FirstServer = 0xc6120000; // 198.18.0.0/15: no connection has the tuple of an earlier one

    private readonly Lab _lab;
    private readonly string _client;
    private readonly TcpServer _server;
    private readonly int[] _turns = new int[ClientCount];

    /// <summary>Starts the server.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="client">Namespace of the VM.</param>
    /// <param name="server">Namespace of the Internet.</param>
    internal VictimConnections(Lab lab, string client, string server)
    {
        (_lab, _client) = (lab, client);
        lab.Run(server, "ip route add local 198.18.0.0/15 dev lo");
        using NetworkNamespace space = lab.Open(server);
        _server = space.Run(() =>
        {
            Core.BindThisThread(Core.First); // and with it the threads that it starts
            return new TcpServer(ServerPort);
        });
    }

    /// <summary>Connections a second.</summary>
    /// <param name="duration">For how long.</param>
    internal double Measure(TimeSpan duration)
    {
        int[] counts = new int[ClientCount];
        using NetworkNamespace space = _lab.Open(_client);
        return space.Run(() =>
        {
            Core.BindThisThread(Core.First);
            long begin = Stopwatch.GetTimestamp();
            Thread[] threads =
            [
                .. Enumerable.Range(0, ClientCount).Select(
                    client => new Thread(() => counts[client] = Open(space, client, begin, duration))),
            ];
            foreach (Thread thread in threads) thread.Start();
            foreach (Thread thread in threads) thread.Join();
            return counts.Sum() / duration.TotalSeconds;
        });
    }

    /// <inheritdoc />
    public void Dispose() => _server.Dispose();

    private int Open(NetworkNamespace space, int client, long begin, TimeSpan duration)
    {
        space.EnterForThisThread();
        int count = 0;
        while (true)
        {
            int turn = _turns[client]++;
            ushort port = (ushort)(FirstSourcePort + (client * PortsPerClient) + (turn % PortsPerClient));
            bool isOpened = TcpClient.TryConnect(port, FirstServer + (uint)(turn / PortsPerClient), ServerPort);
            if (Stopwatch.GetElapsedTime(begin) >= duration) return count;
            if (isOpened) count++;
        }
    }
}
