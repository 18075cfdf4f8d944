using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Genkan.Control.Plan;
using Genkan.Fuzz.Engine;
using Genkan.Host.Configuration;
using Genkan.Host.Trace;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Fuzz.Targets;

/// <summary>
/// The configuration reader: any text is either a topology that links for each of its hosts, or a list of mistakes,
/// each with its place in the text.
/// </summary>
internal sealed class ConfigurationTarget : IFuzzTarget
{
    private const string Keys = """
        hosts uplinks external_networks tenants networks subnets routers interfaces external_gateway snat_blocks
        security_groups rules ports floating_ips underlay address interface mtu name network cidr gateway dhcp lease ra
        direction ethertype protocol remote_group remote_prefix mac addresses allowed_address_pairs port_security vlan
        host prefixes gateways dns domain ntp routes destination nexthop port admin_state_up
        """;

    private const string Values = """
        10.0.1.0/24 2001:db8:1:1::/64 "2001:db8::1" 0.0.0.0/0 ::/0 fa:16:3e:00:01:11 true false null ~ ipv4 ipv6 tcp udp
        icmp icmpv6 egress ingress 1500 65535 -1 0 1-65535 99999999999999999999 0x10 1e9 .inf 1h slaac red-a isp public
        """;

    private static readonly string[] Marks =
    [
        "\n", "\n  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!t ", "---\n", "...\n", "? ", "| \n", "> ", "'",
        "\"", "#", "%", "@", "`", "\t", "\\u0000", "\u00e9", "\u2028", "\ud83d\ude00", "\ufeff", ",", "<<: ",
    ];

    public string Name => "config";

    public int InputMax => 16 * 1024;

    public (int EachOctet, int Besides)? AllocationMax => (4096, 4 << 20);

    public (int EachOctet, int Besides) StepsMax => (20_000, 2_000_000);

    public IEnumerable<byte[]> Seeds =>
    [
        Encoding.UTF8.GetBytes(World.CourtyardText),
        .. Directory.EnumerateFiles(
                Path.Combine(InputFiles.Root, "../Host.Tests/Configuration/Golden"), "*.yaml")
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
        "a: &x [1]\nb: *x\n"u8.ToArray(), "a: !!str 1\n---\nb: 2\n"u8.ToArray(), "? [a]\n: {b: c}\n"u8.ToArray(),
        "a: |\n  b\nc: >-\n  d\n"u8.ToArray(),
        "hosts: {h: {underlay: {address: 192.0.2.1, interface: u}}}"u8.ToArray(),
    ];

    public IReadOnlyList<byte[]> Words { get; } =
    [
        .. TextWords.Of(Keys, ": "), .. TextWords.Of(Values, ""),
        .. Marks.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>Moves, doubles or takes away lines, so that blocks stand where they do not belong.</summary>
    public int Mutate(Span<byte> buffer, int length, FuzzRandom random)
    {
        List<string> lines = [.. Encoding.UTF8.GetString(buffer[..length]).Split('\n')];
        int from = random.Below(lines.Count), count = random.Length(Math.Min(16, lines.Count - from));
        List<string> part = lines.GetRange(from, count);
        switch (random.Below(5))
        {
            case 0: lines.RemoveRange(from, count); break;
            case 1: lines.InsertRange(random.Below(lines.Count), part); break;
            case 2:
                for (int i = 0; i < count; i++) lines[from + i] = "  " + lines[from + i];
                break;
            case 3:
                for (int i = 0; i < count; i++) lines[from + i] = lines[from + i].TrimStart();
                break;
            default:
                int at = lines[from].IndexOf(':', StringComparison.Ordinal) + 1;
                string value = Encoding.UTF8.GetString(Words[random.Below(Words.Count)]);
                lines[from] = string.Concat(lines[from].AsSpan(0, at), " ", value);
                break;
        }

        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        if (text.Length > buffer.Length) return length;
        text.CopyTo(buffer);
        return text.Length;
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        TopologyFile file = TopologyFile.Read("fuzz.yaml", Encoding.UTF8.GetString(input));
        bool isGood = file.Diagnostics.IsEmpty;
        Contract.Require(isGood == (file.State is not null), "a state or mistakes");
        Contract.Require(isGood == (file.Parts is not null), "a topology or mistakes");
        int lines = file.Text.Count(static c => c == '\n') + file.Text.Count(static c => c == '\r') + 2;
        foreach (FileDiagnostic mistake in file.Diagnostics)
        {
            Contract.Require(
                mistake.Position.Line >= 1 && mistake.Position.Line <= lines, "a mistake has a line of the text");
            Contract.Require(mistake.Position.Column >= 1 && mistake.Error.Rule.Length > 0, "and a column and a rule");
        }

        _ = DiagnosticReports.Of(file);
        _ = DiagnosticText.Format(file.Name, file.Text, file.Diagnostics);
        if (!isGood) return;
        foreach (Control.Model.Host host in file.State!.Hosts)
        {
            bool links = TopologySnapshot.TryCreate(
                file.Parts!, ObjectIds.Host(host.Name), 1, out _, out IReadOnlyList<TopologyFault> faults);
            Contract.Require(links, $"what passes the rules links: {string.Join("; ", faults)}");
        }
    }
}

/// <summary>
/// The words of <c>genkan trace</c>: a packet that decodes and can be traced, or a fault with its place.
/// </summary>
internal sealed class TraceTarget : IFuzzTarget
{
    private const string Grammar = """
        red/red-a isp uplink arp nd who-has tell tcp udp sctp icmp icmp6 proto > to from ttl syn ack fin rst psh echo
        type code id 10.0.1.11:40000 10.0.1.12:80 198.18.0.10 [2001:db8::1]:443 2001:db8:1:1::1 fa:16:3e:00:01:11
        64 0 256 -1
        """;

    public string Name => "trace";

    public int InputMax => 512;

    public (int EachOctet, int Besides)? AllocationMax => (2048, 65_536);

    public (int EachOctet, int Besides) StepsMax => (2048, 100_000);

    public IEnumerable<byte[]> Seeds =>
    [
        "red/red-a tcp 10.0.1.11:40000 > 10.0.1.12:80 syn ttl 3"u8.ToArray(),
        "red/red-a arp who-has 10.0.1.1 tell 10.0.1.11"u8.ToArray(), "red/red-a nd who-has 2001:db8:1:1::1"u8.ToArray(),
        "uplink isp udp 198.18.0.10:53 > 198.51.100.20:80 from 02:00:00:00:00:01"u8.ToArray(),
        "red/red-a icmp 10.0.1.11 > 198.18.0.10"u8.ToArray(), "red/red-a icmp6 2001:db8::1 > ::1"u8.ToArray(),
        "red/red-a proto 47 10.0.1.11 > 1.2.3.4"u8.ToArray(),
    ];

    public IReadOnlyList<byte[]> Words { get; } =
        [.. TextWords.Of(Grammar, " ")];

    public void Run(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        bool isRead = TraceWords.TryParse([text], out TraceSpec? spec, out TraceFault? fault);
        Contract.Require(isRead == (spec is not null) && isRead == (fault is null), "a packet or a fault");
        string joined = TraceWords.Join([text]);
        if (fault is not null)
        {
            bool isInside = fault.At >= 0 && fault.At <= joined.Length + 1 && fault.Length >= 1;
            Contract.Require(isInside, "a fault has its place");
            return;
        }

        foreach (TopologySnapshot host in World.Hosts)
        {
            if (!TraceFrame.TryBuild(spec!, host, out _, out byte[] frame, out fault))
            {
                Contract.Require(fault is not null, "a frame or a fault");
                continue;
            }

            PacketFault wrong = PacketHeader.TryDecode(frame, out _);
            Contract.Require(
                wrong is PacketFault.None or PacketFault.MappedAddress,
                $"the packet that was asked for decodes: {wrong}");
        }
    }
}

internal static class TextWords
{
    /// <summary>Words of a text, each with an end.</summary>
    public static IEnumerable<byte[]> Of(string words, string end) =>
        words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(w => Encoding.UTF8.GetBytes(w + end));
}
