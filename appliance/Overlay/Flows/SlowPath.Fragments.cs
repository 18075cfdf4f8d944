using System;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <content>
/// Datagrams in pieces, and packets that are too long. A later fragment does what its first one does: with the first
/// one's ports it has the same flow key. As long as nobody has seen the first one, it waits.
/// </content>
public sealed partial class SlowPath
{
    private readonly byte[] _piece = new byte[FlowLimits.RewrittenFrameMax];

    /// <summary>Fragments that wait for their first one, of all workers: it may come to another one.</summary>
    public int WaitingFragments => _shared.Waiting.Count;

    /// <summary>Drops the fragments whose first one did not come in time; called every now and then.</summary>
    public void ExpireFragments()
    {
        while (_shared.Waiting.TryExpire(_datapath.Now, out uint slot))
            _datapath.CountDrop(slot, DropReason.FragmentWait);
    }

    private void HandleUnusual(
        in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        if (upcall.IsLeaving)
        {
            TellOrCutLeaving(upcall, port, packet, frame);
            return;
        }

        if (packet.Fragment != FragmentKind.Later)
        {
            if (upcall.Kind == UpcallKind.Fragment) Release(port, FragmentId.Of(upcall.Slot, packet));
            else if (upcall.Kind != UpcallKind.Follower || !TryFollow(upcall, port, packet, frame))
                Decide(upcall, port, packet, frame);
            return;
        }

        ExpireFragments();
        if (_datapath.TryFindFirst(port, packet, out FirstFragment first))
        {
            HandleLater(upcall, port, first.Join(packet), frame);
            return;
        }

        FragmentId id = FragmentId.Of(upcall.Slot, packet);
        if (frame.Length < upcall.LengthOctets || !TryWait(id, upcall, frame))
        {
            _datapath.CountDrop(upcall.Slot, DropReason.FragmentWait);
            return;
        }

        // The kernel tells of the first one only if it knew then that somebody waits; one that came just now it told
        // perhaps to another worker, which found the queue still empty.
        if (_datapath.TryFindFirst(port, packet, out _)) Release(port, id);
    }

    private bool TryWait(in FragmentId id, in Upcall upcall, ReadOnlySpan<byte> frame)
    {
        while (!_shared.Waiting.TryAdd(id, upcall, frame, _datapath.Now))
        {
            if (!_shared.Waiting.TryMakeRoom(id.Slot, frame.Length, out uint victim)) return false;
            _datapath.CountDrop(victim, DropReason.FragmentWait);
        }

        return true;
    }

    private void HandleLater(in Upcall upcall, in DatapathPort port, in PacketHeader joined, ReadOnlySpan<byte> frame)
    {
        bool isForwarded = upcall.Kind is not (UpcallKind.TooBig or UpcallKind.HopLimit)
            && TryFollow(upcall, port, joined, frame);
        if (!isForwarded) Decide(upcall, port, joined, frame);
    }

    /// <summary>Sends on, in the order in which they came, what waited for a first fragment.</summary>
    private void Release(in DatapathPort port, in FragmentId id)
    {
        while (_shared.Waiting.TryTake(id, out WaitingFragment waiting))
        {
            ReadOnlySpan<byte> frame = waiting.Frame;
            if (PacketHeader.TryDecode(frame, out PacketHeader packet) == PacketFault.None
                && _datapath.TryFindFirst(port, packet, out FirstFragment first))
            {
                HandleLater(waiting.Upcall, port, first.Join(packet), frame);
            }
            else
            {
                _datapath.CountDrop(waiting.Upcall.Slot, DropReason.FragmentWait);
            }

            waiting.Return();
        }
    }

    /// <summary>Cuts an IPv4 packet without DF to the MTU of its way out (RFC 791 §3.2), within its port's budget. The
    /// pieces go the way of the packet through the tables, or by a next hop if it was rewritten already.</summary>
    private void CutOrDrop(in Upcall upcall, in PacketHeader packet, ReadOnlySpan<byte> frame, uint nextHop)
    {
        bool isWhole = frame.Length >= upcall.LengthOctets && frame.Length <= _scratch.Length;
        if (!isWhole || !packet.IsIpv4 || packet.DontFragment || upcall.Offload.SegmentOctets != 0)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.TooBig);
            return;
        }

        if (!_shared.Cutting.TryTake(upcall.Payer, _datapath.Now))
        {
            _datapath.CountDrop(upcall.Slot, DropReason.FragmentBudget);
            return;
        }

        Span<byte> copy = _scratch.AsSpan(0, frame.Length);
        frame.CopyTo(copy);
        PacketRewriter.CompleteChecksum(copy, packet);
        if (nextHop != 0) Rename(copy, packet);
        Ipv4Fragmenter fragmenter = new(copy, packet, (int)upcall.MtuOctets);
        Span<byte> piece = _piece;
        bool isCut = false;
        while (fragmenter.TryNext(piece, out int length))
        {
            isCut = true;
            if (nextHop == 0) _datapath.Inject(upcall.Slot, piece[..length], upcall.Offload);
            else _datapath.Output(nextHop, piece[..length], default);
        }

        if (isCut) _counters.Fragmented++;
        else _datapath.CountDrop(upcall.Slot, DropReason.TooBig);
    }

    // RFC 6864 §4.3: of several hosts behind one address each counts for itself, and the receiver would put pieces of
    // two packets together. A packet that is a piece itself has got its new identification in the kernel.
    private void Rename(Span<byte> frame, in PacketHeader packet)
    {
        if (packet.Fragment != FragmentKind.None || !Topology.IsNatAddress(packet.Source)) return;
        PacketHeader renamed = packet;
        renamed.Identification = _shared.Identifications.Next(packet.Destination, packet.Protocol);
        PacketRewriter.Apply(frame, packet, renamed);
    }

    /// <summary>
    /// A packet that the route of its uplink does not take. It has its public source by now: the ICMP error (RFC 1191
    /// §4, RFC 4443 §3.2) is one that could have come from the outside, and finds its way to the sender as such.
    /// </summary>
    private void TellOrCutLeaving(
        in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        if (!Topology.TryGetLocalUplinkNetwork(port.Object, out ObjectId outside))
        {
            _datapath.CountDrop(upcall.Slot, DropReason.PortUnknown);
            return;
        }

        if (packet.IsIpv4 && !packet.DontFragment)
        {
            Egress exit = new(EgressKind.FibExit, outside, Topology.LocalHost.Id);
            CutOrDrop(upcall, packet, frame, _datapath.NextHop(exit, []));
            return;
        }

        _datapath.CountDrop(upcall.Slot, DropReason.TooBig);
        IpAddress source = Topology.AddressOf(port.Object, packet.IsIpv4);
        PacketHeader quoted = packet;
        if (quoted.NetworkEnd > frame.Length) quoted.NetworkLengthOctets = frame.Length - quoted.NetworkAt;
        int length = source.IsUnspecified
            ? 0
            : IcmpMessages.WriteError(
                _scratch,
                frame,
                quoted,
                IcmpError.PacketTooBig(packet.IsIpv4, (int)upcall.MtuOctets),
                source,
                packet.EthernetDestination);
        if (length == 0) return;
        if (!_shared.ErrorLimit.TryTake(upcall.Payer, _datapath.Now))
        {
            _counters.ErrorsWithheld++;
            return;
        }

        ReadOnlySpan<byte> error = _scratch.AsSpan(0, length);
        if (PacketHeader.TryDecode(error, out PacketHeader header) != PacketFault.None) return;
        Decide(new Upcall(upcall.Slot, UpcallKind.Control, ConnectionState.None, (uint)length, 0, default),
            port, header, error);
    }
}
