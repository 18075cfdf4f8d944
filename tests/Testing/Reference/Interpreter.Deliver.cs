using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <content>Out (deliver.h): to a port, through a tunnel, by the kernel's routes, or to many.</content>
internal sealed partial class Interpreter
{
    private const uint OursPolicy = 0x4000, CommitPolicy = 0x8000;
    private const int EthernetSize = Parsing.EthernetSize;

    /// <summary>Every link carries 1280 octets (RFC 8200 §5), so shorter packets ask nobody.</summary>
    private const int MtuAlways = 1280;

    /// <summary>Every host takes 576 octets (RFC 791 §3.1).</summary>
    private const int MtuLeast = 576;

    private static string Text(Flow f) => Convert.ToHexString(f.Frame);

    /// <summary>
    /// Drop, too big, hop limit, rewrite, next hop: in this order, so that errors quote what was sent.
    /// </summary>
    private Fate Forward(Flow f, Action action)
    {
        f.NextHop = action.NextHop;
        if (action.Verdict == FlowVerdict.Drop)
        {
            Passed(f);
            return Drop(Or(action.DropReason, DropReason.Rule));
        }

        if (IsTooBig(f, action.Mtu)) return TooBig(f);
        Passed(f);
        if (action.Has(Rewrites.HopLimit) && f.HopLimit <= action.Hops)
            return f.IsFromAgent ? Drop(DropReason.HopLimit) : ToAgent(f, UpcallKind.HopLimit);
        ClampSyn(f);
        DropReason fault = Rewriting.Apply(f, action);
        if (IsFault(fault)) return Drop(fault);
        if (f.IsIp) Coverage.Met(action.Rewrites, f.IsIpv6);
        if (f.Identification != 0 && action.Has(Rewrites.Source)) Coverage.Met("new identification");
        return LeaveBy(f, action.NextHop, action.Commit);
    }

    private static DropReason Or(DropReason reason, DropReason otherwise) =>
        reason == DropReason.None ? otherwise : reason;

    /// <summary>Only what is longer than the narrowest way out asks how much its own takes.</summary>
    private bool IsTooBig(Flow f, uint networkMtu)
    {
        int always = Tables.World.MtuAlways == 0 ? MtuAlways : Tables.World.MtuAlways;
        if (f.Frame.Length <= EthernetSize + Math.Max(always, MtuLeast)) return false;
        if (networkMtu != 0 && PacketOctets(f) > networkMtu)
        {
            f.Mtu = networkMtu;
            Coverage.Met("too big for the network behind a router");
            return true;
        }

        if (Tables.NextHop(f.NextHop) is not { } way) return false;
        if (way is { Kind: NextHopKind.Tunnel, Mtu: not 0 })
        {
            f.Mtu = way.Mtu;
            return PacketOctets(f) > f.Mtu;
        }

        uint ifindex = way.Kind switch
        {
            NextHopKind.Port => Tables.Port(way.Arg)?.Ifindex ?? 0,
            NextHopKind.Tunnel => Tables.World.VxlanIfindex,
            NextHopKind.FibExit => Tables.Port(way.Port)?.HostIfindex ?? 0,
            _ => 0,
        };
        if (ifindex == 0 || Tables.Mtu(ifindex) is not { } mtu || PacketOctets(f) <= mtu) return false;
        f.Mtu = mtu;
        return true;
    }

    /// <summary>Octets of the IP packet; of several in one frame, those of each.</summary>
    private static long PacketOctets(Flow f)
    {
        const int UdpSize = 8, HeaderLengthAt = 12;
        if (f.GsoSize == 0) return f.Frame.Length - EthernetSize;
        int header = f.Key.Protocol == (byte)IpProtocol.Tcp
            ? (f.Frame[f.TransportAt + HeaderLengthAt] >> 4) * 4
            : UdpSize;
        return f.TransportAt + header + f.GsoSize - EthernetSize;
    }

    private Fate LeaveBy(Flow f, uint index, bool commit)
    {
        if (Tables.NextHop(index) is not { } way) return Drop(DropReason.InterfaceGone);
        Coverage.Met(way.Kind);
        Coverage.Found("nexthop");
        return way.Kind switch
        {
            NextHopKind.Port => IsFenced(f, way.Arg) ? Drop(DropReason.Fenced) : OutOfPort(f, way.Arg),
            NextHopKind.Tunnel => IntoTunnel(f, way, commit),
            NextHopKind.FibExit => ByRoutes(f, way.Arg, way.Port),
            NextHopKind.Replicate => Replicate(f, way.Arg, commit),
            NextHopKind.Deliver => Drop(DropReason.DeviceLoop), // only a NAT owner may name it
            _ => Drop(Or(way.DropReason, DropReason.InterfaceGone)),
        };
    }

    /// <summary>Without an agent nobody would see a loop of segments, so nothing goes from one to another.</summary>
    private bool IsFenced(Flow f, uint slot) =>
        f.IsFromSegment && Tables.World.IsAgentSilent && Tables.Port(slot)?.Kind == PortKind.L2External;

    private Fate OutOfPort(Flow f, uint slot)
    {
        if (Tables.Port(slot) is not { IsAdminDown: false } port) return Drop(DropReason.PortDown);
        if (port.Ifindex == 0) return Drop(DropReason.InterfaceGone);
        CountOut(f, slot);
        return new Fate(port.IsPeer ? FateKind.Peer : FateKind.Port)
        {
            Ifindex = port.Ifindex,
            Slot = slot,
            Vlan = port.Vlan,
            Frame = Text(f),
        };
    }

    private void CountOut(Flow f, uint slot) => Tables.Count(slot, c => c with
    {
        TxPackets = c.TxPackets + f.Packets,
        TxOctets = c.TxOctets + f.Length,
    });

    private Fate IntoTunnel(Flow f, NextHopRow way, bool commit)
    {
        if (f.IsFromTunnel) return Drop(DropReason.TunnelLoop);
        if (Tables.World.VxlanIfindex == 0) return Drop(DropReason.InterfaceGone);
        return new Fate(FateKind.Tunnel)
        {
            Ifindex = Tables.World.VxlanIfindex,
            TunnelKey = way.TunnelKey,
            GroupPolicy = OursPolicy | (commit ? CommitPolicy : 0),
            Frame = Text(f),
        };
    }

    /// <summary>
    /// The hop limit is the work of the host where the packet came in; here MACs and the NIC are found.
    /// </summary>
    private Fate ByRoutes(Flow f, uint table, uint slot)
    {
        if (Tables.Port(slot) is not { HostIfindex: not 0 } uplink) return Drop(DropReason.InterfaceGone);
        if (!f.IsIp) return Drop(DropReason.Ethertype);
        if (f.GsoSize != 0 && Tables.Mtu(uplink.HostIfindex) is { } deviceMtu && PacketOctets(f) > deviceMtu)
            return LeavesTooBig(f, slot, deviceMtu);
        UInt128 source = Octets.Address(f.Frame, EthernetSize + (f.IsIpv6 ? 8 : 12), f.IsIpv6);
        UInt128 destination = Octets.Address(f.Frame, EthernetSize + (f.IsIpv6 ? 24 : 16), f.IsIpv6);
        if (f.IsIpv6 && (IsOfTheLink(source) || IsOfTheLink(destination))) return Drop(DropReason.NoRoute);
        if (Tables.Route(table, f.IsIpv6, destination) is not { } route) return Drop(DropReason.NoRoute);
        if (route.Result == RouteResult.Blackhole) return Drop(DropReason.RouteBlackhole);
        if (route.Result == RouteResult.Reject) return Drop(DropReason.RouteReject);
        uint mtu = Tables.Mtu(route.Ifindex) ?? uint.MaxValue;
        if (f.GsoSize == 0 && f.Frame.Length - EthernetSize > mtu) return LeavesTooBig(f, slot, mtu);

        if (route.Ifindex != uplink.HostIfindex)
        {
            // The routes prefer another uplink; any other device is none of the tenants'.
            if (!Tables.Links.TryGetValue((route.Ifindex, 0), out slot)
                || Tables.Port(slot) is not { Kind: PortKind.Uplink } other || other.HostIfindex != route.Ifindex)
            {
                return Drop(DropReason.PortUnknown);
            }
        }

        if (route.Result == RouteResult.Unresolved)
            return new Fate(FateKind.Neighbour) { Ifindex = route.Ifindex, Frame = Text(f) };
        Octets.SetMac(f.Frame, 0, route.GatewayMac);
        Octets.SetMac(f.Frame, 6, route.DeviceMac);
        return OutOfPort(f, slot);
    }

    /// <summary>Only the route says how much the way out takes; the packet is as it would have left.</summary>
    private Fate LeavesTooBig(Flow f, uint slot, uint mtu)
    {
        if (f.IsFromAgent && !f.IsReinjected) return Drop(DropReason.TooBig);
        f.Slot = slot;
        f.Mtu = mtu;
        f.UpcallFlags |= Leaving;
        Coverage.Met("too big where it leaves");
        return ToAgent(f, UpcallKind.TooBig);
    }

    /// <summary>
    /// Multicast, link-local and loopback addresses are never routed (RFC 4291 §2.5.3, §2.5.6, §2.7).
    /// </summary>
    private static bool IsOfTheLink(UInt128 address) =>
        address >> 120 == 0xff || address >> 118 == 0xfe80 >> 6 || address == 1;

    /// <summary>A copy to each target but the port where the packet came in; a target that cannot is counted.</summary>
    private Fate Replicate(Flow f, uint list, bool commit)
    {
        uint copies = 0, last = 0;
        if (list >= Limits.ReplicationLists) return Drop(DropReason.NoList);
        IReadOnlyList<uint> targets = Tables.Replications.GetValueOrDefault(list, []);
        if (Take(f, f.Budget, static b => b.Copies, (uint)targets.Count) > 0) return Drop(DropReason.BudgetBroadcast);
        if (targets.Count > 0) Coverage.Found("replication");
        foreach (uint index in targets.Take(Limits.ReplicationTargets))
        {
            Fate copy = CopyTo(f, index, commit);
            if (copy.Kind == FateKind.Answer) continue; // the port where it came in
            if (copy.Kind == FateKind.Drop)
            {
                Tables.CountDrop(f.Slot, copy.Reason, f.Packets);
                Coverage.Met(copy.Reason);
                continue;
            }

            (copies, last) = (copies + 1, copy.Ifindex);
        }

        return new Fate(FateKind.Replicate) { Copies = copies, Ifindex = last };
    }

    private Fate CopyTo(Flow f, uint index, bool commit)
    {
        if (Tables.NextHop(index) is not { } way) return Drop(DropReason.InterfaceGone);
        if (way.Kind == NextHopKind.Tunnel) return IntoTunnel(f, way, commit);
        if (way.Kind != NextHopKind.Port) return Drop(DropReason.DeviceLoop);
        if (way.Arg == f.Slot) return new Fate(FateKind.Answer);
        return IsFenced(f, way.Arg) ? Drop(DropReason.Fenced) : OutOfPort(f, way.Arg);
    }
}
