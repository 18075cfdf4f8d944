using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <content>What a tunnel key asks for (from_tunnel), and the commit bit (commit.h).</content>
internal sealed partial class Interpreter
{
    private Fate Deliver(Flow f, Packet packet)
    {
        uint policy = packet.GroupPolicy ?? 0u;
        if ((policy & OursPolicy) == 0) return Drop(DropReason.NoGroupPolicy);
        if (packet.VlanTci is not null) return Drop(DropReason.VlanNotBound);
        if (!Tables.Deliveries.TryGetValue(packet.TunnelKey >> 8, out DeliveryRow? delivery)
            || delivery.Kind == DeliveryKind.None)
        {
            return Drop(DropReason.TunnelKeyUnknown);
        }

        if (delivery.Generation != (packet.TunnelKey & 0xff)) return Drop(DropReason.TunnelKeyStale);
        DropReason fault = Parsing.Ethernet(f);
        if (IsFault(fault)) return Drop(fault);

        bool commit = (policy & CommitPolicy) != 0;
        f.IsFromTunnel = true;
        Coverage.Met(delivery.Kind);
        Coverage.Found("delivery");
        f.UpcallFlags = FromTunnelFlag | (commit ? FromCommit : 0);
        return delivery.Kind switch
        {
            DeliveryKind.Port => ToPort(f, delivery.Arg, commit),
            DeliveryKind.FibExit => Leave(f, delivery, packet, commit),
            DeliveryKind.Flood => UnderPseudoPort(f, delivery.Arg, isNat: false),
            DeliveryKind.NatReturn => UnderPseudoPort(f, delivery.Arg, isNat: true),
            _ => Drop(DropReason.TunnelKeyUnknown),
        };
    }

    private Fate ToPort(Flow f, uint slot, bool commit)
    {
        f.Slot = slot;
        if (!commit) return OutOfPort(f, slot);
        if (Tables.Port(slot) is not { } port) return Drop(DropReason.PortDown);
        DropReason fault = Parsing.Parse(f, port.KeyPort, port.IsL3Key);
        if (!IsFault(fault)) fault = Commit(f, port.KeyPort, port.IsL3Key);
        return IsFault(fault) ? Drop(fault) : OutOfPort(f, slot);
    }

    /// <summary>Only IP leaves, only by an uplink, and from NAT addresses only what the sending host owns.</summary>
    private Fate Leave(Flow f, DeliveryRow delivery, Packet packet, bool commit)
    {
        if (Tables.Port(delivery.Port) is not { Kind: PortKind.Uplink } port) return Drop(DropReason.PortUnknown);
        f.Slot = delivery.Port;
        DropReason fault = Parsing.Parse(f, port.KeyPort, isL3: true);
        if (IsFault(fault)) return Drop(fault);
        if (!f.IsIp) return Drop(DropReason.Ethertype);
        if (!f.IsIpv6 && !IsOwner(f, packet.OuterSource)) return Drop(DropReason.NatNotOwned);
        if (commit) fault = Commit(f, port.KeyPort, isL3: true);
        if (IsFault(fault)) return Drop(fault);
        Clamp(f, port.Mtu);
        return ByRoutes(f, delivery.Arg, delivery.Port);
    }

    /// <summary>FLOOD and NAT-RETURN: connection, class, and last this host's agent.</summary>
    private Fate UnderPseudoPort(Flow f, uint slot, bool isNat)
    {
        if (Tables.Port(slot) is not { Kind: PortKind.Pseudo } port) return Drop(DropReason.PortUnknown);
        f.Slot = slot;
        DropReason fault = Parsing.Parse(f, slot, isNat || port.IsL3Key);
        if (IsFault(fault)) return Drop(fault);
        if (f.Fragment != FragmentKind.None)
        {
            f.IsNatReturn = isNat;
            if (PassFragment(f) is { } fate) return fate;
        }

        Found found = Find(f, port, out Action action);
        if (found == Found.Action) return Forward(f, action);
        if (f.EtherType == Parsing.Arp) f.IsControl = true;
        // Without a connection, only an error may belong to one.
        if (isNat && found == Found.Nothing && !f.IsIcmpError) return Drop(DropReason.NatNoConnection);
        return HandUp(f, UpcallKind.Miss);
    }

    /// <summary>
    /// The sender's host has admitted the originator of a connection: the way back becomes known, as state alone.
    /// Errors, ND and later fragments start none; a stranger's refused packet does not stand in the way.
    /// </summary>
    private DropReason Commit(Flow f, uint keyPort, bool isL3)
    {
        if (!f.IsIp || f.IsIcmpError || f.IsLinkLocalTalk || f.Fragment == FragmentKind.Later) return DropReason.None;
        ConnKey reply = ReplyTo(f, isL3);
        bool isThere = Tables.Connections.TryGetValue(reply, out Entry? entry);
        if (isThere && (entry!.Action.Verdict != FlowVerdict.Drop || entry.Action.State == ConnectionState.Reply))
        {
            entry.IsSeen = true;
            return DropReason.None;
        }

        if (keyPort >= Limits.Ports) return DropReason.PortUnknown;
        CreditState[] credits = [CreditOf(keyPort), CreditOf(0)]; // of all ports together: 0
        if (!isThere && !credits.All(c => c.HasRoom(f.IsIpv6))) return DropReason.FlowQuota;
        if (!isThere && CountOfFamily(f.IsIpv6) >= Tables.World.ConnectionsMax) return DropReason.ConnTableFull;
        Action state = new() { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply };
        Tables.Connections[reply] = new Entry(state) { IsSeen = true };
        Coverage.Met(isThere ? "state in a refusal's place" : "state made");
        if (isThere) return DropReason.None;
        foreach (CreditState credit in credits) credit.Add(f.IsIpv6);
        return DropReason.None;
    }

    private CreditState CreditOf(uint keyPort)
    {
        if (Tables.Credits.TryGetValue(keyPort, out CreditState? credit)) Coverage.Found("flow_credit");
        else Tables.Credits[keyPort] = credit = new CreditState(new CreditRow(keyPort, 0, 0, 0, 0));
        return credit;
    }

    private int CountOfFamily(bool isIpv6)
    {
        int count = 0;
        foreach (ConnKey key in Tables.Connections.Keys) count += key.IsIpv6 == isIpv6 ? 1 : 0;
        return count;
    }

    /// <summary>Ends swapped; of an echo, request and reply; whole, since only a request's size made it
    /// fragments.</summary>
    private static ConnKey ReplyTo(Flow f, bool isL3)
    {
        ConnKey key = f.Key;
        ushort replyType = (ushort)(((f.IsIpv6 ? f.IcmpType ^ 1 : f.IcmpType ^ 8) << 8) | (key.DestinationPort & 0xff));
        return key with
        {
            Source = key.Destination,
            Destination = key.Source,
            SourcePort = f.IsEcho ? key.SourcePort : key.DestinationPort,
            DestinationPort = f.IsEcho ? replyType : key.SourcePort,
            Fragment = FragmentKind.None,
            DestinationMac = isL3 ? 0 : Octets.Mac(f.Frame, 6),
            SourceMac = isL3 ? 0 : Octets.Mac(f.Frame, 0),
        };
    }
}
