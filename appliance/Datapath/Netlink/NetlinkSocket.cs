using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Threading;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Netlink;

/// <summary>Reads one message of an answer.</summary>
internal delegate void NetlinkReader(NetlinkType type, ReadOnlySpan<byte> body);

/// <summary>
/// A netlink socket, of rtnetlink unless it says otherwise. It stays in the network namespace of the thread that opened
/// it, whichever thread uses it.
/// Requests are answered one at a time.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    internal const int ProtocolRoute = 0;
    internal const int ProtocolXfrm = 6;

    private const int FamilyNetlink = 16;
    private const int TypeRawCloexec = 3 | 0x80000;
    private const int LevelNetlink = 270;
    private const int OptionAddMembership = 1;
    private const int OptionCapAck = 10;
    private const int OptionExtendedAck = 11;
    private const int LevelSocket = 1;
    private const int OptionReceiveBufferForce = 33;
    private const int ErrorHeaderSize = 4 + NetlinkMessage.HeaderSize; // errno, then the header of our request
    private const NetlinkFlags FlagErrorAttributes = NetlinkFlags.Exclusive; // NLM_F_ACK_TLVS, in an answer
    private const int ErrorMessageAttribute = 1; // NLMSGERR_ATTR_MSG
    private const int ReceiveSize = 64 * 1024; // more than the kernel puts into one datagram

    private readonly FileDescriptor _fd;
    private readonly byte[] _receive = GC.AllocateUninitializedArray<byte>(ReceiveSize, pinned: true);
    private readonly Lock _lock = new();
    private uint _sequence;

    internal NetlinkSocket(int protocol = ProtocolRoute)
    {
        _fd = FileDescriptor.Open(Libc.Socket(FamilyNetlink, TypeRawCloexec, protocol), "netlink: socket");
        NetlinkAddress address = new() { Family = FamilyNetlink };
        Demand(Libc.Bind(_fd.Value, &address, (uint)sizeof(NetlinkAddress)), "bind");
        SetOption(LevelNetlink, OptionCapAck, 1);
        SetOption(LevelNetlink, OptionExtendedAck, 1);
    }

    internal FileDescriptor Fd => _fd;

    /// <summary>Subscribes to a group (RTNLGRP_*).</summary>
    internal void Join(int group) => SetOption(LevelNetlink, OptionAddMembership, group);

    /// <summary>Sets the room for events that were not read yet.</summary>
    internal void SetReceiveBuffer(int octets) => SetOption(LevelSocket, OptionReceiveBufferForce, octets);

    /// <summary>Sends a request and waits for its end.</summary>
    /// <param name="message">The request; a dump if its type says so.</param>
    /// <param name="dump">True to ask for all objects.</param>
    /// <param name="reader">Sees each message of the answer, or null.</param>
    /// <param name="explanation">The kernel's own words about an error, or empty.</param>
    /// <returns>The kernel's verdict.</returns>
    internal Errno Request(NetlinkMessage message, bool dump, NetlinkReader? reader, out string explanation)
    {
        lock (_lock)
        {
            uint sequence = ++_sequence;
            Span<byte> octets = message.Finish(sequence, dump ? NetlinkFlags.None : NetlinkFlags.Ack);
            explanation = "";
            fixed (byte* octetsAt = octets)
            {
                if (Libc.Send(_fd.Value, octetsAt, octets.Length, 0) < 0) return Libc.LastError;
            }
            while (true)
            {
                int length = Receive(0, out Errno error);
                if (length < 0) return error;
                if (TryFinish(_receive.AsSpan(0, length), sequence, reader, out error, out explanation)) return error;
            }
        }
    }

    /// <summary>Receives one datagram.</summary>
    /// <param name="flags">MSG_*.</param>
    /// <param name="error">Why there is none.</param>
    /// <returns>Octets in <see cref="Received"/>, or −1.</returns>
    internal int Receive(int flags, out Errno error)
    {
        while (true)
        {
            nint length;
            fixed (byte* receive = _receive) length = Libc.Recv(_fd.Value, receive, ReceiveSize, flags);
            error = length < 0 ? Libc.LastError : Errno.None;
            if (error != Errno.EINTR) return (int)length;
        }
    }

    /// <summary>The first octets of the last datagram.</summary>
    internal ReadOnlySpan<byte> Received(int length) => _receive.AsSpan(0, length);

    /// <summary>Takes the first message off a datagram.</summary>
    /// <returns>False at its end.</returns>
    internal static bool TryTake(ref ReadOnlySpan<byte> datagram, out MessageHeader header, out ReadOnlySpan<byte> body)
    {
        header = default;
        body = default;
        if (datagram.Length < NetlinkMessage.HeaderSize) return false;
        header = MemoryMarshal.Read<MessageHeader>(datagram);
        if (header.LengthOctets < NetlinkMessage.HeaderSize || header.LengthOctets > datagram.Length) return false;
        body = datagram[NetlinkMessage.HeaderSize..(int)header.LengthOctets];
        datagram = datagram[(int)Math.Min((header.LengthOctets + 3) & ~3u, (uint)datagram.Length)..];
        return true;
    }

    public void Dispose() => _fd.Dispose();

    private static bool TryFinish(
        ReadOnlySpan<byte> datagram, uint sequence, NetlinkReader? reader, out Errno error, out string explanation)
    {
        (error, explanation) = (Errno.None, "");
        while (TryTake(ref datagram, out MessageHeader header, out ReadOnlySpan<byte> body))
        {
            if (header.Sequence != sequence) continue; // the rest of an answer that an earlier fault cut short
            switch (header.Type)
            {
                case NetlinkType.Error or NetlinkType.Done:
                    _ = BinaryPrimitives.TryReadInt32LittleEndian(body, out int negated);
                    error = (Errno)(-negated);
                    if (header.Type == NetlinkType.Error) explanation = Explain(header, body);
                    return true;
                default:
                    reader?.Invoke(header.Type, body);
                    break;
            }
        }
        return false;
    }

    /// <summary>The text of an extended acknowledgement (NLMSGERR_ATTR_MSG).</summary>
    private static string Explain(in MessageHeader header, ReadOnlySpan<byte> body)
    {
        if ((header.Flags & FlagErrorAttributes) == NetlinkFlags.None || body.Length < ErrorHeaderSize) return "";
        NetlinkAttributes attributes = new(body[ErrorHeaderSize..]);
        while (attributes.TryNext())
        {
            if (attributes.Type == ErrorMessageAttribute) return attributes.Text;
        }
        return "";
    }

    private static void Demand(int result, string what)
    {
        if (result < 0) throw new KernelException($"netlink: {what}", Libc.LastError);
    }

    private void SetOption(int level, int option, int value) =>
        Demand(Libc.SetSockOpt(_fd.Value, level, option, &value, sizeof(int)), $"option {option}");

    /// <summary>struct sockaddr_nl.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct NetlinkAddress
    {
        internal ushort Family;
        private readonly ushort _padding;
        private readonly uint _port;
        private readonly uint _groups;
    }

    /// <summary>struct nlmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct MessageHeader
    {
        internal readonly uint LengthOctets;
        internal readonly NetlinkType Type;
        internal readonly NetlinkFlags Flags;
        internal readonly uint Sequence;
        private readonly uint _port;
    }
}
