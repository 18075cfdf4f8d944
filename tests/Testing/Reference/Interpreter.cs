using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <summary>
/// The reference semantics of the programs: what each does with a packet, over plain tables. It moves no packets and
/// knows no speed; a part stands for a header of the same name. Where a program and this differ, the RFC says which is
/// wrong.
/// </summary>
internal sealed partial class Interpreter(World world, Coverage coverage)
{
    public ReferenceTables Tables { get; } = new(world);

    public Coverage Coverage { get; } = coverage;

    /// <summary>Whether it depended on the clock how many datagrams may begin.</summary>
    public bool IsShareAsked { get; set; }

    /// <summary>Runs the program of the packet's hook; the tables change as the program's would.</summary>
    public Fate Run(Packet packet)
    {
        Flow f = new(packet);
        Fate fate = packet.Hook switch
        {
            Hook.FromPort => FromPort(f, packet),
            Hook.FromUplink => FromUplink(f, packet),
            Hook.FromTunnel => FromTunnel(f, packet),
            Hook.FromAgent => FromAgent(f, packet),
            _ => FromHost(f, packet),
        };
        Coverage.Met(packet.Hook, fate);
        if (f.Frame.Length < packet.Frame.Length && fate.Kind != FateKind.Drop) Coverage.Met("octets behind a packet");
        if (fate.Kind != FateKind.Drop) return fate;
        Tables.CountDrop(f.Slot, fate.Reason, f.Packets);
        Tables.Count(f.Slot, c => c with { DropPackets = c.DropPackets + f.Packets });
        return fate;
    }

    private static Fate Drop(DropReason reason) => Fate.Dropped(reason);

    private static bool IsFault(DropReason reason) => reason != DropReason.None;

    /// <summary>
    /// The port that an interface and tag stand for, if it is one of these kinds; counts what came in.
    /// </summary>
    private Fate? Enter(Flow f, Packet packet, out PortRow port, params PortKind[] kinds)
    {
        port = new PortRow(0, PortKind.Unused);
        uint vlan = packet.VlanTci is { } tci ? tci & 0xfffu : 0;
        if (!Tables.Links.TryGetValue((packet.Ifindex, vlan), out uint slot))
            return Drop(vlan != 0 ? DropReason.VlanNotBound : DropReason.PortUnknown);
        if (Tables.Port(slot) is not { } row || System.Array.IndexOf(kinds, row.Kind) < 0)
            return Drop(DropReason.PortUnknown);

        port = row;
        Coverage.Found("link");
        Coverage.Found("ports");
        f.Slot = slot;
        f.Budget = row.Budget;
        Tables.Count(slot, c => c with
        {
            RxPackets = c.RxPackets + f.Packets,
            RxOctets = c.RxOctets + f.Length,
        });
        return row.IsAdminDown ? Drop(DropReason.PortDown) : null;
    }

    /// <summary>Tenants' interfaces and external L2 segments: answer, connection, class, agent.</summary>
    private Fate FromPort(Flow f, Packet packet)
    {
        if (Enter(f, packet, out PortRow port, PortKind.Tenant, PortKind.L2External) is { } refused) return refused;
        f.IsFromSegment = port.Kind == PortKind.L2External;
        DropReason fault = Parsing.Ethernet(f);
        if (IsFault(fault)) return Drop(fault);
        if (f.EtherType == Parsing.Arp)
        {
            f.IsControl = true;
            if (AnswerArp(f, port) is { } answer) return answer;
        }

        fault = Parsing.Parse(f, port.KeyPort, port.IsL3Key);
        if (IsFault(fault)) return Drop(fault);
        if (f.Fragment != FragmentKind.None && PassFragment(f) is { } fate) return fate;
        if (IsVxlan(f)) return Drop(DropReason.VxlanFromPort);
        if (f.IsLinkLocalTalk && AnswerSolicitation(f, port) is { } advertisement) return advertisement;
        return Find(f, port, out Action action) == Found.Action ? Forward(f, action) : HandUp(f, UpcallKind.Miss);
    }

    /// <summary>An uplink's NIC: what is for the host's neighbours, then connection, steering, class, agent.</summary>
    private Fate FromUplink(Flow f, Packet packet)
    {
        if (Enter(f, packet, out PortRow port, PortKind.Uplink) is { } refused) return refused;
        DropReason fault = Parsing.Ethernet(f);
        if (IsFault(fault)) return Drop(fault);
        ulong destination = Octets.Mac(f.Frame, 0);
        if ((f.Frame[0] & 1) == 0 && destination != port.Mac) return Drop(DropReason.MacUnknown);
        if (f.EtherType == Parsing.Arp) return AnswerArp(f, port) ?? ToHost(f, port, f.Budget);
        if (f.EtherType is not (Parsing.Ipv4 or Parsing.Ipv6)) return Drop(DropReason.Ethertype);

        fault = Parsing.Parse(f, port.KeyPort, isL3: true);
        if (IsFault(fault)) return Drop(fault);
        if (IsVxlan(f)) return Drop(DropReason.VxlanFromPort);
        if ((f.Frame[0] & 1) != 0 && !IsGroup(f)) return Drop(DropReason.MacUnknown);
        return f.IsLinkLocalTalk ? LinkTalk(f, port) : FromOutside(f, port);
    }

    /// <summary>The VXLAN device: the key names what is left to do.</summary>
    private Fate FromTunnel(Flow f, Packet packet)
    {
        if (!Tables.Vteps.TryGetValue((false, packet.OuterSource), out VtepState? sender))
            return Drop(DropReason.VtepUnknown);
        Coverage.Found("vtep");
        sender.Packets += f.Packets;
        sender.Octets += f.Length;
        f.VtepHost = sender.Host;
        f.Budget = sender.Budget;
        return Deliver(f, packet);
    }

    /// <summary>What the agent sends. Nothing goes back up from here but what only now is found too big.</summary>
    private Fate FromAgent(Flow f, Packet packet)
    {
        const uint AsIfFromPort = 1, Output = 2;
        f.IsFromAgent = true;
        DropReason fault = Parsing.Ethernet(f);
        if (IsFault(fault)) return Drop(fault);
        uint argument = packet.Mark & 0x07ff_ffff;
        switch (packet.Mark >> 28)
        {
            case AsIfFromPort:
                return Tables.Port(argument) is { Kind: not PortKind.Unused } port
                    ? Reinjected(f, port)
                    : Drop(DropReason.PortUnknown);
            case Output:
                fault = Parsing.Parse(f, 0, isL3: true);
                if (IsFault(fault)) return Drop(fault);
                return LeaveBy(f, argument, (packet.Mark & 0x0800_0000) != 0);
            default:
                return Drop(DropReason.ReinjectMiss);
        }
    }

    /// <summary>As if it came in at the port now, but for the agent, who has seen it.</summary>
    private Fate Reinjected(Flow f, PortRow port)
    {
        f.Slot = port.Slot;
        f.Budget = port.Budget;
        f.IsReinjected = true;
        f.IsFromTunnel = port.Kind == PortKind.Pseudo; // it came through a tunnel
        f.IsNatReturn = port.Kind == PortKind.Pseudo && port.IsL3Key;
        f.IsFromOutside = port.Kind == PortKind.Uplink;
        DropReason fault = Parsing.Parse(f, port.KeyPort, port.IsL3Key);
        if (!IsFault(fault) && f.Fragment != FragmentKind.None) fault = OnFragment(f, out _);
        if (IsFault(fault)) return Drop(fault);
        Found found = Find(f, port, out Action action);
        if (found == Found.Action) return Forward(f, action);
        if (found != Found.Nothing || port.Kind != PortKind.Uplink) return Drop(DropReason.ReinjectMiss);

        // What came for a NAT address and waited with the agent, or was cut there, has its entry under another name.
        Fate? steered = Steer(f, port, out bool isNat);
        Settle(f, port.KeyPort, -1);
        if (steered is not null) return steered;
        return isNat && FindConnection(f, out action) == Found.Action
            ? Forward(f, action)
            : Drop(DropReason.ReinjectMiss);
    }

    /// <summary>The far end of an uplink's host veth: out of the NIC.</summary>
    private Fate FromHost(Flow f, Packet packet)
    {
        if (!Tables.Links.TryGetValue((packet.Ifindex, 0), out uint slot)
            || Tables.Port(slot) is not { Kind: PortKind.Uplink })
        {
            return Drop(DropReason.PortUnknown);
        }

        f.Slot = slot;
        return OutOfPort(f, slot);
    }
}
