using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Host.Api;
using Genkan.Host.Configuration;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Host.Agent;

/// <summary>A topology as read from a file, for one host.</summary>
/// <param name="Snapshot">Checked and linked.</param>
/// <param name="VxlanPort">UDP port of the tunnels.</param>
internal sealed record LoadedTopology(TopologySnapshot Snapshot, ushort VxlanPort)
{
    /// <summary>Who puts outer headers on.</summary>
    public Encapsulation Encapsulation { get; init; }

    /// <summary>What an operator should know of it, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Lowers the MTU of networks to what this host's tunnels carry, so that DHCP, router advertisements and MSS say
    /// what is true. The file's own rule compares with the MTU that it states; here the interface was asked.
    /// </summary>
    /// <param name="tenantMtuMax">Octets of the longest IP packet that fits the tunnels.</param>
    public LoadedTopology LimitMtu(int tenantMtuMax)
    {
        TopologyParts parts = Snapshot.Parts;
        if (parts.Hosts.Length < 2 || parts.Bridges.All(b => b.Mtu <= tenantMtuMax)) return this;
        parts = parts with { Bridges = [.. parts.Bridges.Select(b => b with { Mtu = Lowered(b, tenantMtuMax) })] };
        bool isMade = TopologySnapshot.TryCreate(
            parts, Snapshot.LocalHost.Id, Snapshot.Revision, out TopologySnapshot? lowered, out _);
        Debug.Assert(isMade, "An MTU within its limits makes no topology wrong.");
        string[] warnings =
        [
            .. Snapshot.LocalBridges.Where(b => b.Mtu > tenantMtuMax).Select(b => Describe(b, tenantMtuMax)),
        ];
        return this with { Snapshot = lowered ?? Snapshot, Warnings = warnings };
    }

    // RFC 8200 §5, RFC 791 §3.2: below these no network may be.
    private static int Lowered(Bridge bridge, int tenantMtuMax)
    {
        int least = bridge.Subnets.Any(static s => s.Prefix.IsIpv6) ? 1280 : 576;
        return Math.Min(bridge.Mtu, Math.Max(least, tenantMtuMax));
    }

    private string Describe(Bridge bridge, int tenantMtuMax)
    {
        IpAddress underlay = Snapshot.LocalHost.UnderlayAddress;
        int needed = bridge.Mtu + (underlay.IsIpv4 ? 50 : 70);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Network {bridge.Name} has an MTU of {bridge.Mtu}, but the underlay of this host carries {tenantMtuMax} "
            + $"inside a tunnel. It works with {Lowered(bridge, tenantMtuMax)} here until you raise the MTU of the "
            + $"interface with {underlay} to {needed} (ip link set DEVICE mtu {needed}) and start the agent again, or "
            + $"lower the network's mtu to {tenantMtuMax} in the file.");
    }
}

/// <summary>The file is wrong; nothing was applied.</summary>
internal sealed class ConfigurationException : Exception
{
    public ConfigurationException()
    {
    }

    public ConfigurationException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public ConfigurationException(string message)
        : base(message)
    {
    }

    public ConfigurationException(TopologyFile file)
        : base(Describe(file))
    {
        FileName = file.Name;
        Errors = DiagnosticReports.Of(file);
    }

    /// <summary>The file with <see cref="Errors"/>, or null.</summary>
    public string? FileName { get; }

    /// <summary>Mistakes with their places.</summary>
    public IReadOnlyList<DiagnosticReport> Errors { get; } = [];

    private static string Describe(TopologyFile file)
    {
        FileDiagnostic first = file.Diagnostics[0];
        string more = file.Diagnostics.Length == 1
            ? string.Empty
            : string.Create(CultureInfo.InvariantCulture, $" (and {file.Diagnostics.Length - 1} more)");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{file.Name}:{first.Position.Line}: {first.Error.Path}: {first.Error.Rule}{more}. "
            + $"See: genkan config check {file.Name}");
    }
}

/// <summary>From a file's path to a topology.</summary>
internal static class TopologyLoader
{
    /// <summary>Reads, checks and links.</summary>
    /// <param name="path">YAML file.</param>
    /// <param name="hostName">Which host; null: what the file says, else its only host, else the machine's
    /// name.</param>
    /// <param name="revision">Number of the revision that this will be.</param>
    /// <exception cref="ConfigurationException">The file is wrong.</exception>
    /// <exception cref="System.IO.IOException">It cannot be read.</exception>
    public static LoadedTopology Load(string path, string? hostName, long revision)
    {
        TopologyFile file = TopologyFile.Load(path);
        if (file.State is null || file.Parts is null) throw new ConfigurationException(file);

        Control.Model.Host host = FindHost(file, hostName);
        if (!TopologySnapshot.TryCreate(
                file.Parts, ObjectIds.Host(host.Name), revision, out TopologySnapshot? snapshot,
                    out IReadOnlyList<TopologyFault> faults))
        {
            throw new ConfigurationException($"{path}: {faults[0]}");
        }

        return new LoadedTopology(snapshot, host.Underlay.VxlanPort) { Encapsulation = host.Underlay.Encapsulation };
    }

    private static Control.Model.Host FindHost(TopologyFile file, string? hostName)
    {
        ImmutableArray<Control.Model.Host> hosts = file.State!.Hosts;
        string name = hostName ?? file.HostName ?? (hosts.Length == 1 ? hosts[0].Name : Environment.MachineName);
        return hosts.FirstOrDefault(h => h.Name == name) ?? throw new ConfigurationException(
            $"{file.Name} has no host '{name}'. It has: {string.Join(", ", hosts.Select(h => h.Name))}. "
            + "Say which one this is: genkan run --host NAME");
    }
}
