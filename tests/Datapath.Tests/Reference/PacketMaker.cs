using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Testing.Reference;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>Packets that hit what is in a world, miss it by one field, or are broken.</summary>
internal sealed class PacketMaker(Chance chance, WorldMaker maker, World world)
{
    private static readonly byte[] Extensions = [0, 43, 60, 51, 135, 139, 140, 44, 59, 253];

    /// <summary>Identifications of datagrams in pieces: so few that two of them meet.</summary>
    public const int Identifications = 4;

    private readonly Queue<Packet> _pieces = new();

    public Packet Make()
    {
        if (_pieces.Count > 0 && !chance.OneIn(3)) return _pieces.Dequeue();
        Hook hook = chance.Of(
            Hook.FromPort, Hook.FromPort, Hook.FromPort, Hook.FromUplink, Hook.FromUplink, Hook.FromTunnel,
            Hook.FromTunnel, Hook.FromAgent, Hook.FromHost);
        if (_pieces.Count == 0 && hook != Hook.FromHost && chance.OneIn(8))
        {
            Cut(At(hook, []));
            return _pieces.Dequeue();
        }

        Packet packet = At(hook, Broken(Frame()));
        if (chance.OneIn(20))
        {
            // Less than any device's MTU: a test run cannot say of which kind the segments are.
            uint size = chance.Of(100u, 600u, 1000u), segments = (uint)(1 + chance.Below(5));
            packet = packet with { GsoSize = size, GsoSegments = segments };
        }

        packet = Accepted(packet);
        // A flow whose first packet is with the agent takes only so many more.
        int repeats = _pieces.Count == 0 && chance.OneIn(50) ? 10 : 0;
        for (int i = 0; i < repeats; i++) _pieces.Enqueue(packet);
        return packet;
    }

    private Packet At(Hook hook, byte[] frame)
    {
        Packet packet = new(hook, frame);
        return hook switch
        {
            Hook.FromPort => packet with { VlanTci = PortTag() },
            Hook.FromUplink => packet with
            {
                VlanTci = chance.OneIn(20) ? PortTag() : chance.Of(WorldMaker.UplinkVlan, WorldMaker.OtherUplinkVlan),
            },
            Hook.FromTunnel => Tunnelled(packet),
            Hook.FromAgent => packet with { Mark = Mark() },
            _ => packet with { Ifindex = chance.Of(Laboratory.Host0, Laboratory.Host1, Laboratory.Stranger, 1u) },
        };
    }

    /// <summary>
    /// A datagram in pieces at one place, in any order; some are missing, come twice, overlap, or come again from the
    /// agent.
    /// </summary>
    private void Cut(Packet place)
    {
        FlowShape shape = chance.From(maker.Shapes);
        if (chance.OneIn(8)) shape = shape.Reversed();
        uint identification = (uint)chance.Below(Identifications), slot = SlotOf(place);
        List<byte[]> frames = [];
        int from = 0, count = 2 + chance.Below(3);
        for (int i = 0; i < count; i++)
        {
            bool isLast = i == count - 1;
            TcpPart tcp = Tcp();
            int header = i > 0 ? 0 : shape.Protocol == 6 ? 20 + tcp.Options.Length : 8;
            int octets = ((8 - (header % 8)) % 8) + (8 * (i > 0 ? 1 + chance.Below(10) : chance.Below(4)));
            if (isLast || chance.OneIn(20)) octets += chance.Below(8);
            int at = from > 0 && chance.OneIn(10) ? chance.Of(from - 1, from + 1, 8190) : from;
            FlowShape piece = shape with { Piece = new Piece(identification, at, !isLast) };
            byte[] extensions = shape.IsIpv6 && chance.OneIn(6) ? [60] : [];
            frames.Add(FrameMaker.Frame(piece, chance.Octets(octets), 0, extensions, tcp: tcp));
            from += (header + octets) / 8;
        }

        foreach (int i in Order(count))
        {
            _pieces.Enqueue(Accepted(place with { Frame = frames[i] }));
            if (!chance.OneIn(5)) continue;
            Packet again = new(Hook.FromAgent, frames[i]) { Mark = (1u << 28) | slot };
            _pieces.Enqueue(Accepted(again));
        }
    }

    private List<int> Order(int count)
    {
        List<int> order = [.. Enumerable.Range(0, count)];
        if (chance.OneIn(3)) order.Reverse();
        else if (chance.OneIn(2)) order = [.. order.OrderBy(_ => chance.Below(100))];
        if (chance.OneIn(5)) order.Add(chance.Below(count));
        if (chance.OneIn(5)) order.RemoveAt(chance.Below(count));
        return order;
    }

    /// <summary>By which the agent would name the place where such a packet came in.</summary>
    private uint SlotOf(Packet place) => place.Hook switch
    {
        Hook.FromPort => place.VlanTci switch
        {
            WorldMaker.SegmentVlan => WorldMaker.Segment,
            WorldMaker.OtherSegmentVlan => WorldMaker.OtherSegment,
            WorldMaker.TaggedVlan => WorldMaker.Tagged,
            _ => WorldMaker.Tenant,
        },
        Hook.FromUplink => chance.OneIn(4) ? WorldMaker.NatReturn : WorldMaker.Uplink,
        _ => chance.Of(WorldMaker.Flood, WorldMaker.NatReturn),
    };

    /// <summary>Flags, and options with a maximum segment size at an even or odd place, behind others, twice or
    /// broken.</summary>
    private TcpPart Tcp()
    {
        byte flags = chance.OneIn(3) ? (byte)chance.Below(64) : chance.Of<byte>(0x02, 0x02, 0x12, 0x10, 0x18);
        if (chance.OneIn(3)) return new TcpPart(flags, []);
        List<byte> options = [];
        for (int i = chance.Below(4); i >= 0; i--)
        {
            // What a way of the world takes, and one octet more.
            int taken = chance.Of(1500, 1450, 1400, 1300, 1280, 576) - chance.Of(40, 60);
            int size = chance.OneIn(6) ? chance.Of(65535, 9000, 1) : taken + chance.Below(2);
            byte[] option = chance.Below(8) switch
            {
                0 => [1],
                1 => [3, 3, 7],
                2 => [4, 2],
                3 => [8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
                4 when chance.OneIn(4) => [0],
                5 when chance.OneIn(4) => [chance.Of<byte>(2, 5), (byte)chance.Below(8)],
                _ => [2, 4, (byte)(size >> 8), (byte)size],
            };
            if (options.Count + option.Length <= 40) options.AddRange(option);
        }

        while (options.Count % 4 != 0) options.Add(1);
        return new TcpPart(flags, [.. options]);
    }

    /// <summary>Test-run takes no IP packet that is shorter than its header, unless a tag hides it.</summary>
    private static Packet Accepted(Packet packet)
    {
        // The kernel takes a tag off before any program sees the frame, and drops a frame that ends within the tag.
        if (packet.Frame.Length is < 18 and >= 14 && Octets.Word(packet.Frame, 12) == 0x8100)
            packet = packet with { Frame = [.. packet.Frame, .. new byte[18 - packet.Frame.Length]] };
        if (packet.VlanTci is null && packet.Frame.Length >= 18 && Octets.Word(packet.Frame, 12) == 0x8100)
        {
            packet = packet with
            {
                VlanTci = (ushort)Octets.Word(packet.Frame, 14),
                Frame = [.. packet.Frame[..12], .. packet.Frame[16..]],
            };
        }

        int octets = 14 + (Octets.Word(packet.Frame, 12) switch { Parsing.Ipv4 => 20, Parsing.Ipv6 => 40, _ => 1 });
        if (packet.VlanTci is not null || packet.Frame.Length >= octets) return packet;
        return packet.Hook is Hook.FromPort or Hook.FromUplink
            ? packet with { VlanTci = packet.Hook == Hook.FromPort ? WorldMaker.TaggedVlan : WorldMaker.UplinkVlan }
            : packet with { Frame = [.. packet.Frame, .. new byte[octets - packet.Frame.Length]] };
    }

    private ushort? PortTag() => chance.Below(9) switch
    {
        0 => WorldMaker.TaggedVlan,
        1 => WorldMaker.SegmentVlan,
        2 => 0x6000 | WorldMaker.TaggedVlan, // with priority
        4 => WorldMaker.OtherSegmentVlan,
        3 => (ushort)(chance.OneIn(2) ? 0x4000 : 99), // priority alone; a tag of nobody's
        _ => null,
    };

    private uint Mark()
    {
        uint slot = (uint)chance.Below(10), nextHop = (uint)chance.Below(WorldMaker.WaysOut + 2);
        uint commit = chance.OneIn(2) ? 0x0800_0000u : 0;
        return chance.Below(12) switch
        {
            0 => 0,
            < 7 => (1u << 28) | slot,
            _ => (2u << 28) | commit | nextHop,
        };
    }

    private Packet Tunnelled(Packet packet)
    {
        DeliveryRow delivery = chance.From(world.Deliveries);
        uint slot = chance.OneIn(15) ? 12 : delivery.Slot;
        uint generation = chance.OneIn(15) ? delivery.Generation + 1u : delivery.Generation;
        return packet with
        {
            TunnelKey = (slot << 8) | generation,
            GroupPolicy = chance.OneIn(20) ? null : chance.Of<ushort>(0x4000, 0x4000, 0xc000, 0xc000, 0x8000),
            OuterSource = chance.OneIn(15) ? WorldMaker.Vtep + ((UInt128)1 << 96) : WorldMaker.Vtep,
            VlanTci = chance.OneIn(30) ? (ushort)5 : null,
        };
    }

    private byte[] Frame() => chance.Below(14) switch
    {
        0 => Arp(),
        1 => Solicitation(),
        2 => Error(),
        3 when chance.OneIn(3) => Other(),
        _ => OfShape(NearMiss(chance.From(maker.Shapes))),
    };

    private byte[] OfShape(FlowShape shape)
    {
        int length = chance.OneIn(6) ? chance.Of(1252, 1258, 1272, 1280, 1292, 1300, 1400, 1460, 1472, 1480, 1500)
            : chance.Of(0, 1, 18, 19, 100);
        int options = !shape.IsIpv6 && chance.OneIn(8) ? chance.Of(4, 8, 40) : 0;
        byte[] extensions = [];
        if (shape.IsIpv6 && chance.OneIn(4))
            extensions = [.. Enumerable.Range(0, 1 + chance.Below(chance.OneIn(4) ? 9 : 3)).Select(_ => Extension())];
        byte[] frame =
            FrameMaker.Frame(shape, chance.Octets(length), options, extensions, !chance.OneIn(6), Tcp());
        if (chance.OneIn(12)) EndEarly(frame);
        return frame.Length < 60 && !chance.OneIn(3) ? [.. frame, .. chance.Octets(60 - frame.Length)] : frame;
    }

    /// <summary>The packet ends by its own header where the frame goes on: soon behind its headers, or later.</summary>
    private void EndEarly(byte[] frame)
    {
        bool isIpv6 = frame[14] >> 4 == 6;
        int lengthAt = isIpv6 ? 18 : 16, headers = isIpv6 ? 0 : (frame[14] & 0xf) * 4;
        int payload = Octets.Word(frame, lengthAt) - headers;
        int left = chance.OneIn(2) ? chance.Below(Math.Min(payload, 12) + 1) : chance.Below(payload + 1);
        Octets.SetWord(frame, lengthAt, (ushort)(headers + left));
    }

    private byte Extension() => chance.OneIn(6) ? chance.From(Extensions) : chance.Of<byte>(0, 60, 43, 51);

    private FlowShape NearMiss(FlowShape shape)
    {
        if (!chance.OneIn(5)) return chance.OneIn(8) ? shape.Reversed() : shape;
        FlowShape other = maker.Shape();
        bool isSame = other.IsIpv6 == shape.IsIpv6;
        return chance.Below(9) switch
        {
            0 when isSame => shape with { Source = other.Source },
            1 when isSame => shape with { Destination = other.Destination },
            2 => shape with { SourcePort = other.SourcePort },
            3 => shape with { DestinationPort = other.DestinationPort },
            4 => shape with { SourceMac = other.SourceMac },
            5 => shape with
            {
                Piece = new Piece((uint)chance.Below(Identifications), chance.Below(3), chance.OneIn(2)),
            },
            6 => shape with { Protocol = other.Protocol },
            7 => shape with { HopLimit = other.HopLimit },
            _ => shape with { IcmpType = (byte)chance.Below(256) },
        };
    }

    private byte[] Arp()
    {
        ulong mac = chance.OneIn(5) ? chance.From(WorldMaker.Macs) : WorldMaker.TenantMac;
        UInt128 sender = chance.OneIn(5) ? chance.Of((UInt128)0, WorldMaker.Ipv4[1]) : WorldMaker.Ipv4[0];
        UInt128 target = chance.OneIn(4) ? chance.From(WorldMaker.Ipv4) : WorldMaker.Ipv4[1];
        byte[] frame =
        [
            .. FrameMaker.Number(0xffff_ffff_ffff, 6),
            .. FrameMaker.Number(chance.OneIn(8) ? 0x0200_0000_0009 : mac, 6),
            8, 6, 0, 1, 8, 0, 6, 4, 0, chance.Of<byte>(1, 1, 1, 2), .. FrameMaker.Number(mac, 6),
            .. FrameMaker.Number(sender >> 96, 4), 0, 0, 0, 0, 0, 0, .. FrameMaker.Number(target >> 96, 4),
        ];
        return chance.OneIn(3) ? frame : [.. frame, .. new byte[18]];
    }

    private byte[] Solicitation()
    {
        UInt128 source = chance.OneIn(4)
            ? chance.Of((UInt128)0, WorldMaker.Ipv6[3], WorldMaker.Ipv6[4])
            : WorldMaker.Ipv6[0];
        UInt128 target = chance.OneIn(4) ? chance.From(WorldMaker.Ipv6) : WorldMaker.Ipv6[1];
        ulong mac = chance.OneIn(6) ? chance.From(WorldMaker.Macs) : WorldMaker.TenantMac;
        FlowShape shape = new(true, source, WorldMaker.Ipv6[4], 58)
        {
            IcmpType = chance.OneIn(8) ? (byte)136 : (byte)135,
            IcmpCode = chance.OneIn(10) ? (byte)1 : (byte)0,
            HopLimit = chance.OneIn(6) ? (byte)64 : (byte)255,
            SourceMac = mac,
            DestinationMac = 0x3333_ff00_0012,
        };
        byte[] option = [1, chance.OneIn(10) ? (byte)2 : (byte)1, .. FrameMaker.Number(mac, 6)];
        byte[] frame = FrameMaker.Frame(shape, [.. FrameMaker.Number(target, 16), .. option]);
        if (chance.OneIn(10)) frame[56] ^= 1; // checksum
        return frame;
    }

    /// <summary>An ICMP error that quotes a packet of the world.</summary>
    private byte[] Error()
    {
        FlowShape quoted = chance.From(maker.Shapes);
        byte[] packet = FrameMaker.Frame(quoted, chance.Octets(8))[14..];
        FlowShape shape = NearMiss(chance.From(maker.Shapes)) with
        {
            Protocol = quoted.IsIpv6 ? (byte)58 : (byte)1,
            IsIpv6 = quoted.IsIpv6,
            Source = chance.From(quoted.IsIpv6 ? WorldMaker.Ipv6 : WorldMaker.Ipv4),
            Destination = chance.OneIn(2) ? quoted.Source : WorldMaker.NatAddress,
            IcmpType = quoted.IsIpv6 ? chance.Of<byte>(1, 2, 3) : chance.Of<byte>(3, 11),
            Piece = null,
        };
        if (shape.IsIpv6) shape = shape with { Destination = quoted.Source };
        return FrameMaker.Frame(shape, chance.OneIn(4) ? packet[..chance.Below(packet.Length)] : packet);
    }

    private byte[] Other()
    {
        byte[] type = chance.Of<byte[]>([0x88, 0xcc], [0x81, 0x00], [0x88, 0xa8], [0, 40], [8, 0], [0x86, 0xdd]);
        return
        [
            .. FrameMaker.Number(chance.From(WorldMaker.Macs), 6),
            .. FrameMaker.Number(chance.From(WorldMaker.Macs), 6),
            .. type, .. chance.Octets(chance.Of(1, 20, 46, 100)),
        ];
    }

    /// <summary>One packet in six is cut, or has octets of its headers changed.</summary>
    private byte[] Broken(byte[] frame)
    {
        const int Shortest = 15; // test-run takes no empty packet
        if (!chance.OneIn(6)) return frame;
        if (chance.OneIn(2)) return frame[..Math.Max(Shortest, chance.Below(frame.Length))];
        int headers = Math.Min(frame.Length, 80);
        for (int i = chance.Below(3); i >= 0; i--)
        {
            int at = chance.OneIn(8) ? chance.Below(headers) : Math.Min(14 + chance.Below(headers - 13), headers - 1);
            frame[at] = chance.OneIn(2) ? (byte)(frame[at] ^ (1 << chance.Below(8))) : (byte)chance.Below(256);
        }

        return frame;
    }
}
