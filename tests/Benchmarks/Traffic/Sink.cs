using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Genkan.Datapath.Namespaces;
using Microsoft.Win32.SafeHandles;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// The end of the path: an interface that counts what arrives and then drops it before any protocol sees it.
/// </summary>
internal sealed class Sink : IDisposable
{
    private readonly SafeFileHandle _counters;
    private readonly string _line;
    private readonly byte[] _text = new byte[4_096];

    /// <summary>Sets up the drop and opens the counters.</summary>
    internal Sink(Lab lab, string role, string interfaceName)
    {
        lab.Run(role, "nft -f -", $$"""
            table netdev sink {
              chain ingress {
                type filter hook ingress device "{{interfaceName}}" priority 0
                udp dport 9 drop
              }
            }

            """);
        using NetworkNamespace space = lab.Open(role);
        _counters = space.Run(() => File.OpenHandle("/proc/thread-self/net/dev"));
        _line = interfaceName + ":";
    }

    /// <summary>Frames that arrived so far.</summary>
    internal long Count()
    {
        int size = RandomAccess.Read(_counters, _text, fileOffset: 0);
        string line = Encoding.ASCII.GetString(_text, 0, size).Split('\n')
            .First(l => l.TrimStart().StartsWith(_line, StringComparison.Ordinal));
        string packets = line.Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(packets, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc />
    public void Dispose() => _counters.Dispose();
}
