using System;
using System.IO;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Migration;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tables;
using Genkan.Testing.Kernel;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Migration;

/// <summary>The agent dies here.</summary>
internal sealed class KilledException : Exception
{
    public KilledException()
        : base("killed by the test")
    {
    }

    public KilledException(string message)
        : base(message)
    {
    }

    public KilledException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A namespace with pins of its own, where generations of small programs follow each other on
/// loopback.</summary>
internal sealed class MigrationHost : IDisposable
{
    private static int _count;

    private readonly Netns _netns = new();

    public MigrationHost(AttachMode? attach = null)
    {
        BpfFileSystem.EnsureMounted();
        Options = new KernelDatapathOptions
        {
            HostName = "h",
            UnderlayAddress = IpAddress.Parse("192.0.2.1"),
            PinRoot = $"/sys/fs/bpf/genkan-migrate-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}",
            RunDirectory = "/nonexistent",
            Attach = attach,
        };
        _netns.Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.SetLink(1, new LinkSettings { IsUp = true });
        });
    }

    public KernelDatapathOptions Options { get; }

    /// <summary>An agent of one layout starts: loads, migrates, attaches; and ends.</summary>
    /// <param name="layout">Name of the object.</param>
    /// <param name="killAt">Number of the step at which it is killed, from 0; −1 never.</param>
    /// <returns>Tables that were carried over.</returns>
    public string[] Start(string layout, int killAt = -1)
    {
        int step = 0;
        KernelDatapathOptions options = Options with
        {
            OnMigrationStep = _ =>
            {
                if (step++ == killAt) throw new KilledException();
            },
        };
        return _netns.Run(() =>
        {
            LoadedGeneration loaded = TableMigration.Load(options, Programs(layout));
            using BpfProgramSet set = loaded.Set;
            using ProgramAttacher attacher = new(options.LinkDirectory, options.Attach);
            attacher.Attach(1, TcxHook.Ingress, set.Program("count"));
            return loaded.Migrated.Order(StringComparer.Ordinal).ToArray();
        });
    }

    public static BpfProgramSetOptions Programs(string layout) =>
        new() { Assembly = typeof(MigrationHost).Assembly, Objects = [layout] };

    /// <summary>Sends datagrams through loopback, each of which the program there counts once.</summary>
    public void Send(int count) => _netns.Run(() =>
    {
        using System.Net.Sockets.Socket socket = new(
            System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Dgram,
            System.Net.Sockets.ProtocolType.Udp);
        using System.Net.Sockets.Socket sink = new(
            System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Dgram,
            System.Net.Sockets.ProtocolType.Udp);
        sink.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        for (int i = 0; i < count; i++) socket.SendTo([1], sink.LocalEndPoint!);
        byte[] octets = new byte[16];
        for (int i = 0; i < count; i++) sink.Receive(octets); // each one has passed the program
    });

    public NamedTable Table(string name) => new(Path.Combine(Options.PinDirectory, name));

    public string[] Pins() => [.. GenerationSwitch.Pins(Options.PinDirectory)];

    /// <summary>What stands beside the tables but links.</summary>
    public string[] Directories() =>
        [.. Directory.EnumerateDirectories(Options.PinDirectory).Select(d => Path.GetFileName(d)!).Order()];

    public void Dispose()
    {
        BpfFileSystem.RemovePinDirectory(Options.PinRoot);
        _netns.Dispose();
    }
}
