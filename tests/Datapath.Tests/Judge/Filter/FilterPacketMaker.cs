using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge.Filter;

/// <summary>
/// Makes packets of conversations: first ones, what goes on once they got through, answers, and errors about them.
/// What an end does not know it does not say: the other end's packets tell it whom to answer.
/// </summary>
internal sealed class FilterPacketMaker(JudgedWorld world, int seed)
{
    private const int ConversationsMax = 60; // that are going on
    private const int RoomSize = 4_096;
    private const uint Sequence = 1_000; // of all but a SYN: whose window it is, is not asked

    private static readonly IpAddress[] Far4 =
        [.. ((string[])["8.8.8.8", "8.8.4.4", "9.9.9.9"]).Select(static s => IpAddress.Parse(s))];

    private static readonly IpAddress[] Far6 =
        [.. ((string[])["2600::1", "2600::2", "2a00::1"]).Select(static s => IpAddress.Parse(s))];

    private static readonly (byte Type, byte Code)[] Errors4 = [(3, 1), (3, 3), (3, 4), (11, 0), (12, 0)];
    private static readonly (byte Type, byte Code)[] Errors6 = [(1, 4), (2, 0), (3, 0), (4, 1)];

    private readonly Random _random = new(seed);
    private readonly List<Conversation> _conversations = [];
    private uint _identification;
    private ushort _tcpPort = 10_000;
    private Conversation? _current;
    private bool _isByOpener;
    private bool _isError;

    private JudgedPort Isp => world.Outside!.Isp;

    public JudgedPacket Next()
    {
        (_current, _isError) = (null, false);
        if (_conversations.Count > 0 && !OneIn(3)) return GoOn();
        if (OneIn(25)) return Stray();
        _current = Begin();
        _isByOpener = true;
        return Packet(_current, isByOpener: true);
    }

    /// <summary>What became of the packet: who got it knows now whom to answer.</summary>
    public void Learn(JudgedCase judged)
    {
        if (_current is null || _isError || !judged.IsSame) return;
        if (judged.Linux.Length != 1 || PacketHeader.TryDecode(judged.Linux[0].Frame, out PacketHeader p)
            != PacketFault.None || p.Protocol != _current.Protocol || p.IsIcmpError)
        {
            return;
        }

        // A router's own answer; too many of those it does not give (`pending`).
        if (judged.Linux[0].Port == judged.Packet.From.Name) return;
        JudgedPort receiver = world.AllPorts.First(port => port.Name == judged.Linux[0].Port);
        if (_isByOpener)
        {
            ushort ownPort = p.IsIcmp ? p.SourcePort : p.DestinationPort;
            _current.Answerer ??= new ConversationEnd(receiver, p.Destination, ownPort, p.Source, p.SourcePort);
            _current.GotByAnswerer = judged.Linux[0].Frame;
            bool isOpen = p.Protocol != IpProtocol.Tcp || !p.TcpFlags.HasFlag(TcpFlags.Syn);
            if (isOpen) _current.Phase = ConversationPhase.Open;
        }
        else
        {
            _current.GotByOpener = judged.Linux[0].Frame;
            if (_current.Phase == ConversationPhase.Opening) _current.Phase = ConversationPhase.Answered;
        }

        if (!_conversations.Contains(_current)) _conversations.Add(_current);
        if (_conversations.Count > ConversationsMax) _conversations.RemoveAt(0);
    }

    private JudgedPacket GoOn()
    {
        _current = From(_conversations);
        if (OneIn(5)) return Error(_current);
        _isByOpener = OneIn(2);
        JudgedPacket packet = Packet(_current, _isByOpener);
        bool isEnd = _current.Protocol == IpProtocol.Tcp && FlagsOf(packet.Frame).HasFlag(TcpFlags.Rst);
        if (isEnd) _conversations.Remove(_current);
        if (isEnd) _current = null;
        return packet;
    }

    private static TcpFlags FlagsOf(byte[] frame) =>
        PacketHeader.TryDecode(frame, out PacketHeader p) == PacketFault.None ? p.TcpFlags : default;

    private Conversation Begin()
    {
        bool isIpv6 = OneIn(3);
        IpProtocol protocol = Protocol(isIpv6);
        JudgedPort from = OneIn(3) ? Isp : From(world.Ports);
        IpAddress own = from != Isp
            ? isIpv6 ? from.Address6 : from.Address4
            : isIpv6 ? From(Far6) : OneIn(8) ? Isp.Address4 : From(Far4);
        (IpAddress other, ushort otherPort) = Target(from, isIpv6, protocol);
        ushort ownPort = protocol == IpProtocol.Tcp ? _tcpPort++ : PoolPort();
        if (protocol == IpProtocol.Tcp && OneIn(6)) ownPort = (ushort)_random.Next(1, 1_024);
        if (protocol is IpProtocol.Icmp or IpProtocol.Icmpv6)
        {
            // Linux would change an identifier that is the same to a VM's inner address and to its public one.
            if (JudgedOutside.Prefixes.Any(p => p.IsIpv4 && p.Contains(other))) ownPort += 100;
            otherPort = ownPort;
        }

        return new Conversation(protocol, new ConversationEnd(from, own, ownPort, other, otherPort));
    }

    private (IpAddress Address, ushort Port) Target(JudgedPort from, bool isIpv6, IpProtocol protocol)
    {
        JudgedOutside outside = world.Outside!;
        if (!isIpv6 && !outside.Forwards.IsEmpty && OneIn(5))
        {
            (PortForward forward, _) = From(outside.Forwards);
            return (forward.Address, forward.Protocol == protocol ? forward.ExternalPort : PoolPort());
        }

        if (!isIpv6 && !outside.FloatingIps.IsEmpty && OneIn(from == Isp ? 2 : 5))
            return (From(outside.FloatingIps).Address, PoolPort());
        if (!isIpv6 && OneIn(12)) return (outside.Address4, OneIn(2) ? PoolPort() : (ushort)_random.Next(65_536));
        if (from != Isp && OneIn(3)) return (isIpv6 ? From(Far6) : From(Far4), PoolPort());
        JudgedPort[] others = [.. world.Ports.Where(p => p.Network != from.Network)];
        JudgedPort to = From(others);
        return (isIpv6 ? to.Address6 : to.Address4, PoolPort());
    }

    private JudgedPacket Packet(Conversation c, bool isByOpener)
    {
        ConversationEnd end = isByOpener ? c.Opener : c.Answerer ?? c.Opener;
        if (end == c.Opener) _isByOpener = isByOpener = true;
        Writing writing = Begin(end, c.Protocol);
        switch (c.Protocol)
        {
            case IpProtocol.Udp:
                writing.Writer.Udp(end.OwnPort, end.OtherPort);
                break;
            case IpProtocol.Tcp:
                TcpFlags flags = Flags(c, isByOpener);
                bool isSyn = flags.HasFlag(TcpFlags.Syn);
                writing.Writer.Tcp(
                    end.OwnPort, end.OtherPort, flags, isSyn ? Sequence - 1 : Sequence,
                    flags.HasFlag(TcpFlags.Ack) ? Sequence : 0, 5_000);
                break;
            case IpProtocol.Icmp or IpProtocol.Icmpv6:
                byte type = c.IsIpv4 ? (byte)(isByOpener ? 8 : 0) : (byte)(isByOpener ? 128 : 129);
                writing.Writer.Icmp(type, 0, ((uint)end.OwnPort << 16) | 7);
                break;
            default:
                break;
        }

        return MaybeInPieces(new JudgedPacket(end.Port, Finish(ref writing, Of(0, 6, 18, 64, 200, 900))));
    }

    // What does not open a connection in any of TCP's states is Stray's.
    private TcpFlags Flags(Conversation c, bool isByOpener)
    {
        if (c.Phase == ConversationPhase.Opening && c.Answerer is null)
            return OneIn(4) ? TcpFlags.Ack : TcpFlags.Syn;
        if (c.Phase == ConversationPhase.Opening) return isByOpener ? TcpFlags.Syn : TcpFlags.Syn | TcpFlags.Ack;
        if (c.Phase == ConversationPhase.Answered && !isByOpener) return TcpFlags.Syn | TcpFlags.Ack;
        if (c.Phase == ConversationPhase.Answered) return TcpFlags.Ack;
        return OneIn(12) ? TcpFlags.Rst | TcpFlags.Ack : OneIn(6) ? TcpFlags.Fin | TcpFlags.Ack : TcpFlags.Ack;
    }

    // An error of who got a packet, or of a router on the way to it, about what it got.
    private JudgedPacket Error(Conversation c)
    {
        _isError = true;
        bool isByOpener = c.GotByOpener is not null && OneIn(2);
        byte[] got = (isByOpener ? c.GotByOpener : c.GotByAnswerer)!;
        ConversationEnd end = isByOpener ? c.Opener : c.Answerer!;
        _ = PacketHeader.TryDecode(got, out PacketHeader p);
        byte[] quoted = got[p.NetworkAt..p.NetworkEnd];
        int headers = p.TransportAt - p.NetworkAt;
        int length = OneIn(3) ? headers + 8 : Math.Min(quoted.Length, headers + Of(20, 28, 60, 500));
        quoted = quoted[..Math.Min(length, quoted.Length)];
        if (OneIn(8)) quoted[headers + (p.IsIcmp ? 5 : 1)] ^= 0x55; // of no connection
        bool isOnTheWay = end.Port == Isp && OneIn(3);
        IpAddress source = !isOnTheWay ? end.Own : c.IsIpv4 ? Isp.Address4 : Isp.Address6;
        IpProtocol icmp = c.IsIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6;
        Writing writing = Begin(end with { Own = source, Other = p.Source }, icmp);
        (byte type, byte code) = From(c.IsIpv4 ? Errors4 : Errors6);
        writing.Writer.Icmp(type, code, (type, code) is (3, 4) or (2, 0) ? 1_400u : 0);
        writing.Writer.Octets(quoted);
        byte[] frame = Finish(ref writing, 0);
        if (OneIn(8)) frame[^1] ^= 1; // a wrong checksum
        return new JudgedPacket(end.Port, frame);
    }

    // TCP that opens with what opens nothing, protocols without ports, errors about nothing.
    private JudgedPacket Stray()
    {
        JudgedPort from = OneIn(3) ? Isp : From(world.Ports);
        bool isIpv6 = OneIn(3);
        bool isTcp = OneIn(2);
        IpProtocol protocol = isTcp ? IpProtocol.Tcp : FilterWorldMaker.OtherProtocol;
        (IpAddress other, ushort port) = Target(from, isIpv6, protocol);
        IpAddress own = from != Isp
            ? isIpv6 ? from.Address6 : from.Address4
            : isIpv6 ? From(Far6) : From(Far4);
        Writing writing = Begin(new ConversationEnd(from, own, 0, other, 0), protocol);
        TcpFlags flags = Of(TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Rst, TcpFlags.Syn | TcpFlags.Ack);
        if (isTcp) writing.Writer.Tcp(_tcpPort++, port, flags, Sequence, Sequence, 5_000);
        return new JudgedPacket(from, Finish(ref writing, 64));
    }

    private Writing Begin(ConversationEnd end, IpProtocol protocol)
    {
        Writing writing = new(new byte[RoomSize]);
        writing.Writer.Ethernet(end.Port.Network.GatewayMac, end.Port.Mac);
        byte hopLimit = OneIn(12) ? Of<byte>(1, 2, 2, 3) : (byte)64;
        writing.Writer.Ip(end.Own, end.Other, protocol, hopLimit);
        return writing;
    }

    private byte[] Finish(ref Writing writing, int payload)
    {
        Span<byte> data = writing.Writer.Rest[..payload];
        _random.NextBytes(data);
        writing.Writer.Advance(payload);
        byte[] frame = writing.Room[..writing.Writer.Finish()];
        if (frame[12] == 0x08) Identify(frame);
        return frame;
    }

    private void Identify(byte[] frame)
    {
        Span<byte> ip = frame.AsSpan(14, 20);
        if (OneIn(2)) BinaryPrimitives.WriteUInt32BigEndian(ip[4..], (uint)_random.Next(65_536) << 16);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip));
    }

    private JudgedPacket MaybeInPieces(JudgedPacket packet)
    {
        if (!OneIn(4) || PacketHeader.TryDecode(packet.Frame, out PacketHeader p) != PacketFault.None
            || p.NetworkLengthOctets < 200)
        {
            return packet;
        }

        // What the agent lets pass or refuses without an entry it takes so often in 200 ms and no more (`pending`).
        bool isKnown = _current?.Answerer is not null && p.HopLimit == 64;
        int octets = 8 * _random.Next(isKnown ? 4 : (p.NetworkLengthOctets / 24) + 1, p.NetworkLengthOctets / 16);
        int[] order = [.. Enumerable.Range(0, (packet.Frame.Length / octets) + 1)];
        if (OneIn(2)) _random.Shuffle(order);
        if (OneIn(10)) order = order[1..];
        _identification += 2;
        return packet with { PieceOctets = octets, Order = [.. order], Identification = _identification };
    }

    private IpProtocol Protocol(bool isIpv6) => _random.Next(7) switch
    {
        0 or 1 or 2 => IpProtocol.Tcp,
        3 or 4 => IpProtocol.Udp,
        _ => isIpv6 ? IpProtocol.Icmpv6 : IpProtocol.Icmp,
    };

    private ushort PoolPort() => (ushort)(FilterWorldMaker.PortMin + _random.Next(FilterWorldMaker.PortCount));

    private bool OneIn(int count) => _random.Next(count) == 0;

    private T Of<T>(params ReadOnlySpan<T> values) => values[_random.Next(values.Length)];

    private T From<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];

    /// <summary>A frame in the making.</summary>
    private ref struct Writing(byte[] room)
    {
        public readonly byte[] Room = room;
        public FrameWriter Writer = new(room);
    }
}
