using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Genkan.Control.Plan;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Host.Agent;

/// <summary>The packets of a <see cref="Rehearsal"/>: what VMs send when they start, first packets of each kind of way,
/// and what is refused.</summary>
/// <param name="topology">The rehearsal's.</param>
/// <param name="tables">Its tables, which know the slots.</param>
internal sealed class RehearsedPackets(TopologySnapshot topology, IDatapath tables)
{
    private const ushort EphemeralPort = 40000;

    private static readonly MacAddress A = MacAddress.Parse("02:00:00:00:00:0a");
    private static readonly MacAddress B = MacAddress.Parse("02:00:00:00:00:0b");
    private static readonly MacAddress C = MacAddress.Parse("02:00:00:00:00:0c");
    private static readonly MacAddress D = MacAddress.Parse("02:00:00:00:00:0d");
    private static readonly Family Four = new(
        "10.0.1.11", "10.0.1.1", "10.0.1.12", "10.0.2.13", "10.0.1.14", "198.18.0.10", "10.0.9.9", "198.51.100.20");

    private static readonly Family Six = new(
        "2001:db8:1:1::ff:fe00:a", "2001:db8:1:1::1", "2001:db8:1:1::ff:fe00:b", "2001:db8:1:2::ff:fe00:c",
        "2001:db8:1:1::ff:fe00:d", "2001:db8:beef::10", "2001:db8:1:9::9", "2001:db8:1:1::ff:fe00:a");

    private readonly List<(Upcall Upcall, byte[] Frame)> _packets = [];
    private readonly uint _a = SlotOf(tables, ObjectIds.Port("t/a"));
    private readonly uint _c = SlotOf(tables, ObjectIds.Port("t/c"));
    private readonly uint _uplink = SlotOf(tables, ObjectIds.Uplink("isp"));
    private readonly MacAddress _gateway = MacOf(topology, "one");

    /// <summary>All of them, as the kernel would send them up.</summary>
    public IReadOnlyList<(Upcall Upcall, byte[] Frame)> ToList()
    {
        AddNeighbours();
        AddDhcp();
        foreach (Family family in new[] { Four, Six })
        {
            AddFirstPackets(family);
            AddOffloaded(family);
            AddUnusual(family);
            AddFragments(family);
            AddFromOutside(family);
        }

        Add(_a, Write(A, MacAddress.Broadcast, "10.0.1.11", "255.255.255.255", IpProtocol.Udp, 9));
        Add(_c, Write(C, MacOf(topology, "two"), "10.0.2.13", "198.51.100.20", IpProtocol.Tcp, 80)); // hairpin
        Add(_uplink, Write(D, A, "198.18.0.10", "198.51.100.10", IpProtocol.Tcp, 80)); // a port forward
        return _packets;
    }

    private static uint SlotOf(IDatapath tables, ObjectId id) => tables.TryGetSlot(id, out uint slot) ? slot : 0;

    private static MacAddress MacOf(TopologySnapshot topology, string network) =>
        topology.TryGetPort(ObjectIds.RouterPort("t/r", network), out VirtualPort? port) ? port.Mac : default;

    private static IpProtocol EchoOf(Family family) =>
        IpAddress.Parse(family.Own).IsIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6;

    private static byte[] Write(
        MacAddress from, MacAddress to, string source, string destination, IpProtocol protocol, ushort port,
        byte hopLimit = 64, int payloadOctets = 8)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + payloadOctets];
        FrameWriter writer = new(room);
        writer.Ethernet(to, from);
        writer.Ip(IpAddress.Parse(source), IpAddress.Parse(destination), protocol, hopLimit);
        switch (protocol)
        {
            case IpProtocol.Tcp: writer.Tcp(EphemeralPort, port, TcpFlags.Syn, sequence: 1); break;
            case IpProtocol.Udp: writer.Udp(EphemeralPort, port); break;
            case IpProtocol.Icmp: writer.Icmp((byte)IcmpType.Echo, 0, 0x0007_0001); break;
            case IpProtocol.Icmpv6: writer.Icmp((byte)Icmpv6Type.EchoRequest, 0, 0x0007_0001); break;
        }

        writer.Advance(payloadOctets);
        return room[..writer.Finish()];
    }

    private void Add(
        uint slot, byte[] frame, UpcallKind kind = UpcallKind.Miss, ConnectionState state = ConnectionState.None,
        uint mtu = 0, uint segmentOctets = 0) =>
        _packets.Add((
            new Upcall(slot, kind, state, (uint)frame.Length, 0, new FrameOffload(segmentOctets, 0), mtu), frame));

    private void AddNeighbours()
    {
        foreach (string target in new[] { Four.Gateway, Four.Near, Four.Own })
        {
            byte[] arp = new byte[64];
            FrameWriter writer = new(arp);
            writer.Ethernet(MacAddress.Broadcast, A);
            writer.Arp(
                ArpOperation.Request, A, IpAddress.Parse(Four.Own), MacAddress.Zero, IpAddress.Parse(target));
            Add(_a, arp[..writer.Finish()], UpcallKind.Control);
        }

        byte[] room = new byte[256];
        foreach (string target in new[] { Six.Gateway, Six.Near })
        {
            int length = NeighborSolicitation.WriteMulticast(
                room, A, IpAddress.Parse(Six.Own), IpAddress.Parse(target));
            Add(_a, room[..length], UpcallKind.Control);
        }

        int asked = new RouterSolicitation(A).Write(room, A, IpAddress.LinkLocalOf(A));
        Add(_a, room[..asked], UpcallKind.Control);
    }

    private void AddDhcp()
    {
        foreach (DhcpMessageType type in new[] { DhcpMessageType.Discover, DhcpMessageType.Request })
        {
            DhcpMessage message = new()
            {
                Op = DhcpOp.BootRequest,
                TransactionId = 1,
                ClientMac = A,
                Options =
                [
                    DhcpOption.OfByte(DhcpOptionCode.MessageType, (byte)type),
                    DhcpOption.OfAddresses(DhcpOptionCode.RequestedAddress, [IpAddress.Parse(Four.Own)]),
                ],
            };
            byte[] room = new byte[1024];
            FrameWriter writer = new(room);
            writer.Ethernet(MacAddress.Broadcast, A);
            writer.Ip(IpAddress.Unspecified4, IpAddress.Parse("255.255.255.255"), IpProtocol.Udp);
            writer.Udp(DhcpMessage.ClientPort, DhcpMessage.ServerPort);
            writer.Advance(message.Encode(writer.Rest, out _));
            Add(_a, room[..writer.Finish()], UpcallKind.Control);
        }

        Dhcpv6Message question = new() { Type = Dhcpv6MessageType.InformationRequest, TransactionId = 1 };
        byte[] six = new byte[512];
        FrameWriter asking = new(six);
        asking.Ethernet(MacAddress.OfMulticastGroup(Dhcpv6Message.AllRelayAgentsAndServers), A);
        asking.Ip(IpAddress.LinkLocalOf(A), Dhcpv6Message.AllRelayAgentsAndServers, IpProtocol.Udp);
        asking.Udp(Dhcpv6Message.ClientPort, Dhcpv6Message.ServerPort);
        asking.Advance(question.Encode(asking.Rest));
        Add(_a, six[..asking.Finish()], UpcallKind.Control);
    }

    /// <summary>To a VM here and one on another host, to another network and to the outside.</summary>
    private void AddFirstPackets(Family family)
    {
        foreach (IpProtocol protocol in new[] { IpProtocol.Tcp, IpProtocol.Udp, EchoOf(family) })
        {
            ushort port = protocol == IpProtocol.Tcp ? (ushort)80 : (ushort)53;
            Add(_a, Write(A, B, family.Own, family.Near, protocol, port));
            Add(_a, Write(A, D, family.Own, family.Far, protocol, port));
            Add(_a, Write(A, _gateway, family.Own, family.Routed, protocol, port));
            Add(_a, Write(A, _gateway, family.Own, family.Outside, protocol, port)); // by its floating IP
            Add(_c, Write(C, MacOf(topology, "two"), family.Routed, family.Outside, protocol, port)); // source NAT
        }
    }

    /// <summary>As a VM's interface gives them: checksums are left to the hardware, and TCP to be cut into
    /// segments.</summary>
    private void AddOffloaded(Family family)
    {
        Add(_a, WithPartialChecksum(Write(A, B, family.Own, family.Near, IpProtocol.Udp, 53)));
        Add(_c, WithPartialChecksum(
            Write(C, MacOf(topology, "two"), family.Routed, family.Outside, IpProtocol.Tcp, 443)));
        byte[] whole = Write(A, B, family.Own, family.Near, IpProtocol.Tcp, 80, payloadOctets: 3_000);
        Add(_a, WithPartialChecksum(whole), segmentOctets: 1_000);
    }

    private static byte[] WithPartialChecksum(byte[] frame)
    {
        if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) return frame;
        int at = header.TransportAt + (header.Protocol == IpProtocol.Tcp ? 16 : 6); // RFC 9293 §3.1, RFC 768
        ulong sum = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, header.Protocol, header.NetworkEnd - header.TransportAt);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at), InternetChecksum.Fold(sum));
        return frame;
    }

    /// <summary>What is answered, refused, or comes up for another reason than being the first.</summary>
    private void AddUnusual(Family family)
    {
        byte[] first = Write(A, B, family.Own, family.Near, IpProtocol.Tcp, 80);
        byte[] leaving = Write(A, _gateway, family.Own, family.Outside, IpProtocol.Tcp, 80);
        Add(_a, first, UpcallKind.Follower);
        Add(_a, first, UpcallKind.Revalidate, ConnectionState.Forward);
        Add(_a, first, UpcallKind.Miss, ConnectionState.Forward); // of a class that has changed
        Add(_a, leaving, UpcallKind.TooBig, ConnectionState.Forward, mtu: 1280);
        Add(_a, leaving, UpcallKind.HopLimit, ConnectionState.Forward);
        Add(_a, Write(A, _gateway, family.Own, family.Gateway, EchoOf(family), 0), UpcallKind.Control);
        Add(_a, Write(A, _gateway, family.Own, family.Routed, IpProtocol.Udp, 53, hopLimit: 1));
        Add(_a, Write(A, _gateway, family.Own, family.Nowhere, IpProtocol.Udp, 53));
        Add(_a, Write(A, B, family.Own, family.Near, IpProtocol.Tcp, 81)); // no rule allows it
        Add(_a, Write(A, B, family.Nowhere, family.Near, IpProtocol.Tcp, 80)); // not its address
    }

    private void AddFragments(Family family)
    {
        foreach (int offset in new[] { 8, 0, 8 })
        {
            byte[] room = new byte[256];
            FrameWriter writer = new(room);
            writer.Ethernet(B, A);
            writer.Ip(IpAddress.Parse(family.Own), IpAddress.Parse(family.Near), IpProtocol.Udp);
            writer.Fragment(4711, offset, more: offset == 0);
            if (offset == 0) writer.Udp(EphemeralPort, 53);
            writer.Octets("12345678"u8);
            Add(_a, room[..writer.Finish()], offset == 0 ? UpcallKind.Miss : UpcallKind.Fragment);
        }
    }

    private void AddFromOutside(Family family)
    {
        foreach (ushort port in new ushort[] { 80, 81 })
            Add(_uplink, Write(D, A, family.Outside, family.Public, IpProtocol.Tcp, port));
        Add(_uplink, Write(D, A, family.Outside, family.Public, EchoOf(family), 0));
        byte[] about = Write(A, D, family.Public, family.Outside, IpProtocol.Tcp, 80);
        if (PacketHeader.TryDecode(about, out PacketHeader header) != PacketFault.None) return;
        byte[] room = new byte[IcmpMessages.ErrorFrameSizeMax];
        int length = IcmpMessages.WriteError(
            room, about, header, IcmpError.TimeExceeded(header.IsIpv4), IpAddress.Parse(family.Outside), D);
        Add(_uplink, room[..length], UpcallKind.Control);
    }

    /// <summary>Addresses of one family.</summary>
    /// <param name="Own">Of VM a.</param>
    /// <param name="Gateway">Of its router.</param>
    /// <param name="Near">Of VM b, in its network.</param>
    /// <param name="Routed">Of VM c, in the other network.</param>
    /// <param name="Far">Of VM d, in its network on another host.</param>
    /// <param name="Outside">Somewhere in the Internet.</param>
    /// <param name="Nowhere">In no network.</param>
    /// <param name="Public">VM a's, as the Internet knows it.</param>
    private sealed record Family(
        string Own, string Gateway, string Near, string Routed, string Far, string Outside, string Nowhere,
        string Public);
}
