using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>One packet and what both judges made of it.</summary>
internal sealed class JudgedCase
{
    private readonly List<Difference> _met = [];

    private readonly ImmutableArray<Difference> _rules;

    public JudgedCase(
        JudgedWorld world,
        JudgedPacket packet,
        int turn,
        List<Arrival> linux,
        List<Arrival> genkan,
        ImmutableArray<Difference> rules)
    {
        _rules = rules;
        (World, Packet, Turn, Linux, Genkan) = (world, packet, turn, Sorted(linux), Sorted(genkan));
        Fault = PacketHeader.TryDecode(packet.Frame, out PacketHeader header);
        Header = header;
        if (!AreEqual(Linux, Genkan)) Judge();
    }

    public JudgedWorld World { get; }

    public JudgedPacket Packet { get; }

    /// <summary>How often the packet had been sent before: the first one is decided by the agent.</summary>
    public int Turn { get; }

    public PacketFault Fault { get; }

    /// <summary>The packet's headers, as far as they could be read.</summary>
    public PacketHeader Header { get; }

    /// <summary>What Linux did; in the rules, without the details that may differ.</summary>
    public ImmutableArray<Arrival> Linux { get; private set; }

    /// <summary>As <see cref="Linux"/>.</summary>
    public ImmutableArray<Arrival> Genkan { get; private set; }

    /// <summary>Whether the two differ and no rule says why.</summary>
    public bool IsDisagreement { get; private set; }

    /// <summary>The rules that the two differ by; none if they are the same, octet for octet.</summary>
    public IReadOnlyList<Difference> Met => _met;

    public bool IsToRouter => Header.EthernetDestination == Packet.From.Network.GatewayMac;

    /// <summary>Whether an IPv6 header is followed by Hop-by-Hop Options.</summary>
    public bool HasHopByHop => Header.IsIpv6 && Packet.Frame.Length > Header.NetworkAt + 6
        && Packet.Frame[Header.NetworkAt + 6] == (byte)IpProtocol.HopByHopOptions;

    /// <summary>First IPv4 option, 0 none.</summary>
    public byte Option => Header.IsIpv4 && Packet.Frame.Length > Header.NetworkAt + 20
        && (Packet.Frame[Header.NetworkAt] & 0xf) > 5 ? Packet.Frame[Header.NetworkAt + 20] : (byte)0;

    /// <summary>Whether all that differs are details, if anything does.</summary>
    public bool IsSame => !IsDisagreement && _met.TrueForAll(static d => d.TakeAway is not null);

    /// <summary>Type and code of the ICMP error that is all that Linux made of it, or null.</summary>
    public (byte Type, byte Code)? LinuxError => ErrorOf(Linux);

    /// <summary>As <see cref="LinuxError"/>.</summary>
    public (byte Type, byte Code)? GenkanError => ErrorOf(Genkan);

    /// <summary>Whether Genkan sent this too.</summary>
    public bool IsGenkans(Arrival arrival) =>
        Genkan.Any(g => g.Port == arrival.Port && g.Frame.AsSpan().SequenceEqual(arrival.Frame));

    private string Pieces => Packet.PieceOctets == 0
        ? ""
        : $" in pieces of {Packet.PieceOctets}, in the order {string.Join(' ', Packet.Order)}";

    public override string ToString() => $"  {Packet.From.Name} sends {FrameText.Of(Packet.Frame)}{Pieces}\n"
        + $"  Linux: {Text(Linux)}\n  Genkan: {Text(Genkan)}{Octets}";

    // What words do not show.
    private string Octets
    {
        get
        {
            if (AreEqual(Linux, Genkan) || Text(Linux) != Text(Genkan)) return "";
            int i = Linux.Zip(Genkan)
                .TakeWhile(static p => p.First.Frame.AsSpan().SequenceEqual(p.Second.Frame)).Count();
            int at = Linux[i].Frame.AsSpan().CommonPrefixLength(Genkan[i].Frame);
            return $"\n  from octet {at} on:\n    {Convert.ToHexStringLower(Linux[i].Frame.AsSpan(at))}\n    "
                + Convert.ToHexStringLower(Genkan[i].Frame.AsSpan(at));
        }
    }

    // Details first: if they are all there is, each without which the two would not be the same is met. Else one rule
    // must explain the whole.
    private void Judge()
    {
        Difference[] details = [.. _rules.Where(d => d.TakeAway is not null && d.Applies(this))];
        (ImmutableArray<Arrival> linux, ImmutableArray<Arrival> genkan) = Without(details);
        if (AreEqual(linux, genkan))
        {
            foreach (Difference detail in details)
            {
                (ImmutableArray<Arrival> l, ImmutableArray<Arrival> g) = Without(details.Where(d => d != detail));
                if (!AreEqual(l, g)) _met.Add(detail);
            }

            return;
        }

        (ImmutableArray<Arrival> Linux, ImmutableArray<Arrival> Genkan) whole = (Linux, Genkan);
        (Linux, Genkan) = (linux, genkan);
        if (_rules.FirstOrDefault(d => d.TakeAway is null && d.Applies(this)) is { } rule) _met.Add(rule);
        else IsDisagreement = true;
        (Linux, Genkan) = whole;
    }

    private (ImmutableArray<Arrival> Linux, ImmutableArray<Arrival> Genkan) Without(IEnumerable<Difference> details)
    {
        (ImmutableArray<Arrival> linux, ImmutableArray<Arrival> genkan) = (Linux, Genkan);
        foreach (Difference detail in details)
            (linux, genkan) = (Taken(linux, detail.TakeAway!), Taken(genkan, detail.TakeAway!));
        return (linux, genkan);
    }

    private static ImmutableArray<Arrival> Taken(ImmutableArray<Arrival> outcome, Func<byte[], byte[]> takeAway) =>
        Sorted(outcome.Select(a => a with { Frame = takeAway(a.Frame) }));

    /// <summary>Type and code of the ICMP error that is all of an outcome, or null.</summary>
    public static (byte Type, byte Code)? ErrorOf(ImmutableArray<Arrival> outcome) =>
        outcome.Length == 1 && PacketHeader.TryDecode(outcome[0].Frame, out PacketHeader e) == PacketFault.None
            && e.IsIcmpError ? (e.IcmpType, e.IcmpCode) : null;

    private static string Text(ImmutableArray<Arrival> outcome) => outcome.IsEmpty
        ? "nothing"
        : string.Join("\n    ", outcome.Select(static a => $"{a.Port} gets {FrameText.Of(a.Frame)}"));

    private static ImmutableArray<Arrival> Sorted(IEnumerable<Arrival> arrivals) =>
        [.. arrivals.OrderBy(static a => a.Port + Convert.ToHexString(a.Frame), StringComparer.Ordinal)];

    private static bool AreEqual(ImmutableArray<Arrival> one, ImmutableArray<Arrival> other) =>
        one.Length == other.Length && one.Zip(other).All(
            static p => p.First.Port == p.Second.Port && p.First.Frame.AsSpan().SequenceEqual(p.Second.Frame));
}
