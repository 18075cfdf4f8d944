using System;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <content>
/// What an uplink's packet is for (uplink.h, nat_owner.h): connection, local service by port, owner of the NAT block,
/// local service by protocol, the host's own address, class, and last the agent at the destination object's expense.
/// </content>
internal sealed partial class Interpreter
{
    private const ushort AnyPort = 0;

    private bool IsVxlan(Flow f) =>
        f.Key.Protocol == (byte)IpProtocol.Udp && f.Key.DestinationPort == Tables.World.VxlanPort;

    /// <summary>Whether a packet is for a group or all, the only ones that may come to all (RFC 1812 §5.3.4).</summary>
    private static bool IsGroup(Flow f) => f.IsIpv6
        ? f.Key.Destination >> 120 == 0xff
        : f.Key.Destination >> 124 == 0xe || f.Key.Destination >> 96 == 0xffff_ffff;

    private Fate ToService(Flow f, PortRow port, uint budget)
    {
        Coverage.Found("local_service");
        return ToHost(f, port, budget);
    }

    private Fate ToHost(Flow f, PortRow port, uint budget)
    {
        if (port.HostIfindex == 0) return Drop(DropReason.InterfaceGone);
        if (Take(f, budget, static b => b.Control, 1) > 0) return Drop(DropReason.BudgetControl);
        return new Fate(FateKind.Local) { Ifindex = port.HostIfindex, Frame = Text(f) };
    }

    /// <summary>No router passes these on (RFC 4861 §11.2, RFC 3810 §5), so from farther away they are false.</summary>
    private Fate LinkTalk(Flow f, PortRow port)
    {
        if (f.IcmpType is >= 133 and <= 137)
        {
            if (f.HopLimit != 255) return Drop(DropReason.Malformed);
        }
        else if (f.Key.Source != 0 && f.Key.Source >> 118 != 0xfe80 >> 6)
        {
            return Drop(DropReason.Martian);
        }

        return AnswerSolicitation(f, port) ?? ToHost(f, port, f.Budget);
    }

    private Fate FromOutside(Flow f, PortRow port)
    {
        f.IsFromOutside = true;
        bool isNat = false, waits = false;
        DropReason fault = f.Fragment == FragmentKind.None ? DropReason.None : OnFragment(f, out waits);
        if (IsFault(fault)) return Drop(fault);
        Found found = FindConnection(f, out Action action);
        if (found == Found.Nothing)
        {
            Fate? fate = Steer(f, port, out isNat);
            if (fate is not null || isNat) Settle(f, port.KeyPort, 0);
            if (fate is not null) return fate;
            // Under the pseudo port's name too, by which the agent will send it on.
            if (isNat && f.Fragment != FragmentKind.None && PassFragment(f) is { } refused) return refused;
            if (isNat) found = FindConnection(f, out action);
            else if (!waits) found = FindClass(f, port, out action);
        }

        if (found == Found.Action) return Forward(f, action);
        if (isNat && found == Found.Nothing && !f.IsIcmpError) return Drop(DropReason.NatNoConnection);
        if (Tables.Destination(f.IsIpv6, f.Key.Destination) is { } destination)
        {
            f.Budget = destination.Budget;
            Coverage.Found("destination");
        }
        else if (!isNat)
        {
            return Drop(DropReason.NoDestination); // what nobody here has asked for costs the agent nothing
        }

        return HandUp(f, waits ? UpcallKind.Fragment : UpcallKind.Miss);
    }

    /// <summary>Null: none of the host's business, or (<paramref name="isNat"/>) this host's own NAT return.</summary>
    private Fate? Steer(Flow f, PortRow port, out bool isNat)
    {
        isNat = false;
        UInt128 to = f.Key.Destination;
        uint budget;
        if (f.HasPorts
            && Tables.Services.TryGetValue((to, f.IsIpv6, f.Key.DestinationPort, f.Key.Protocol), out budget))
        {
            return ToService(f, port, budget);
        }

        if (!f.IsIpv6 && ReturnedPort(f) is { } returned
            && Tables.NatOwners.TryGetValue((to, (ushort)(returned >> 6)), out uint owner))
        {
            return owner == Limits.NatForwarded ? null : ToOwner(f, owner, out isNat);
        }

        if (Tables.Services.TryGetValue((to, f.IsIpv6, AnyPort, f.Key.Protocol), out budget))
            return ToService(f, port, budget);

        bool isLater = f.Key.Fragment == FragmentKind.Later;
        if (!f.IsIpv6 && Tables.NatOwners.ContainsKey((to, Limits.NatAddressItself)))
            return isLater || (f.IsEcho && f.IcmpType == 8) ? null : Drop(DropReason.NatNoOwner);
        if (!Tables.Services.TryGetValue((to, f.IsIpv6, AnyPort, 0), out budget)) return null;
        return isLater ? ToService(f, port, budget) : Drop(DropReason.NotLocalService);
    }

    private Fate? ToOwner(Flow f, uint index, out bool isNat)
    {
        isNat = false;
        Coverage.Found("nat_owner");
        NextHopRow? way = Tables.NextHop(index);
        if (way?.Kind == NextHopKind.Deliver)
        {
            isNat = true;
            Coverage.Met(NextHopKind.Deliver);
            f.Slot = way.Arg;
            f.Key = f.Key with { Port = way.Arg };
            return null;
        }

        if (way?.Kind != NextHopKind.Tunnel) return Drop(DropReason.NatNoOwner);
        f.NextHop = index;
        if (IsTooBig(f, 0)) return TooBig(f);
        ClampSyn(f);
        return IntoTunnel(f, way, commit: false);
    }

    /// <summary>The port that names the owner of what comes back to a NAT address.</summary>
    private static int? ReturnedPort(Flow f)
    {
        if (f.Key.Fragment == FragmentKind.Later) return null;
        if (f.IsEcho) return f.IcmpType == 0 ? f.Key.SourcePort : null;
        if (f.IsIcmpError) return QuotedPort(f, isDestination: false);
        return (IpProtocol)f.Key.Protocol is IpProtocol.Tcp or IpProtocol.Udp ? f.Key.DestinationPort : null;
    }

    /// <summary>
    /// The NAT port of the packet that an ICMP error quotes (RFC 792, RFC 5508 §4): its source if the error comes back
    /// to who sent it, its destination if the error is sent by who got it.
    /// </summary>
    private static int? QuotedPort(Flow f, bool isDestination)
    {
        byte[] frame = f.Frame;
        int at = f.TransportAt + 8;
        if (frame.Length < at + 20 || frame[at] >> 4 != 4 || (frame[at] & 0xf) < 5) return null;
        if ((Octets.Word(frame, at + 6) & 0x1fff) != 0) return null;
        int transport = at + ((frame[at] & 0xf) * 4);
        if (frame.Length < transport + 8) return null;
        return (IpProtocol)frame[at + 9] switch
        {
            IpProtocol.Icmp => Octets.Word(frame, transport + 4),
            IpProtocol.Tcp or IpProtocol.Udp => Octets.Word(frame, transport + (isDestination ? 2 : 0)),
            _ => null,
        };
    }

    /// <summary>Whether the host behind a VTEP may send from a NAT address and port.</summary>
    private bool IsOwner(Flow f, UInt128 vtep)
    {
        if (!Tables.NatOwners.ContainsKey((f.Key.Source, Limits.NatAddressItself))) return true;
        if (f.Key.Fragment == FragmentKind.Later) return true; // worth nothing without its first one
        int? port = f.IsIcmpError ? QuotedPort(f, isDestination: true) : f.Key.SourcePort;
        return port is { } known
            && Tables.NatOwners.TryGetValue((f.Key.Source, (ushort)(known >> 6)), out uint owner)
            && (owner == Limits.NatForwarded
                || (Tables.NextHop(owner) is { Kind: NextHopKind.Tunnel, PeerIsIpv6: false } way
                    && way.Peer >> 96 == vtep >> 96)); // IPv4 in the first four octets
    }
}
