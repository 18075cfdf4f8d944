using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Flows;

namespace Genkan.Fuzz.Targets;

/// <summary>
/// An agent's packet loop over tables in memory, fed with upcalls that lie: cut frames, wrong lengths, kinds and
/// states. Every packet is counted, answered or sent; tables keep their limits; in the end time passes and nothing is
/// left. An input is a host, then upcalls: length, slot, kind, state, difference of length, segment, MTU, time, frame.
/// </summary>
internal sealed class SlowPathTarget : IFuzzTarget
{
    private const int HeaderSize = 12;
    private const int ConnectionsMax = 32;

    private readonly FlowClasses _classes = new();
    private readonly TableDatapath[] _tables;

    public SlowPathTarget()
    {
        _tables = [.. World.Hosts.Select(static _ => new TableDatapath(ConnectionsMax))];
        for (int i = 0; i < _tables.Length; i++) _tables[i].Apply(World.Hosts[i]);
    }

    public string Name => "slowpath";

    public int InputMax => 8 * 1024;

    // The dictionaries in place of the kernel's tables allocate; the agent's own part is counted by its tests.
    public (int EachOctet, int Besides)? AllocationMax => null;

    public (int EachOctet, int Besides) StepsMax => (4096, 4_000_000);

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            foreach (byte[] frame in PacketSeeds.All)
            {
                for (byte host = 0; host < World.Hosts.Length; host++)
                {
                    yield return [host, .. Upcall(frame, 1), .. Upcall(frame, 2), .. Upcall(frame, 3)];
                    yield return [host, .. Upcall(frame, 4), .. Upcall(frame, 5), .. Upcall(frame, 6)];
                }
            }
        }
    }

    public int Mutate(Span<byte> buffer, int length, FuzzRandom random)
    {
        // Chooses one of the upcalls, whose frame may grow if it is the last.
        int at = 1, chosen = random.Below(4);
        while (TryFrame(buffer[..length], at, out int frameAt, out int frameLength))
        {
            int next = frameAt + frameLength;
            if (chosen-- > 0 && next < length)
            {
                at = next;
                continue;
            }

            if (random.OneIn(3))
            {
                buffer[at + 2 + random.Below(HeaderSize - 2)] = random.Octet();
                return length;
            }

            byte[] room = new byte[PacketMutator.FrameMax];
            buffer.Slice(frameAt, frameLength).CopyTo(room);
            int newLength = PacketMutator.Mutate(room, frameLength, random);
            if (length + newLength - frameLength > buffer.Length) return length;
            byte[] rest = buffer[next..length].ToArray();
            room.AsSpan(0, newLength).CopyTo(buffer[frameAt..]);
            rest.CopyTo(buffer[(frameAt + newLength)..]);
            BinaryPrimitives.WriteUInt16LittleEndian(buffer[at..], (ushort)newLength);
            return length + newLength - frameLength;
        }

        return length;
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        int host = input[0] % World.Hosts.Length;
        TableDatapath tables = _tables[host];
        tables.Connections.Clear();
        tables.Classes.Clear();
        tables.Drops.Clear();
        tables.Firsts.Clear();
        tables.Now = TimeSpan.FromHours(1);
        NatTable nat = SimulateTarget.NatOf(World.Hosts[host]);
        SlowPath slowPath = new(tables, nat, _classes, World.Hosts[host]);
        for (int at = 1; TryFrame(input, at, out int frameAt, out int frameLength); at = frameAt + frameLength)
            Handle(slowPath, tables, input.Slice(at, HeaderSize), input.Slice(frameAt, frameLength));
        tables.Flush();
        if (input.Length % 16 == 0) RequireNothingIsLeft(slowPath, tables, nat); // a sweep costs as much as 50 packets
    }

    private static void Handle(
        SlowPath slowPath, TableDatapath tables, ReadOnlySpan<byte> header, ReadOnlySpan<byte> frame)
    {
        UpcallKind kind = (UpcallKind)(header[3] % 7);
        int length = Math.Max(0, frame.Length + (sbyte)header[5]);
        ushort segment = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        ushort mtu = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        Upcall upcall = new(
            header[2] % 24u, kind, (ConnectionState)(header[4] % 3), (uint)length, header[10],
            new FrameOffload(header[11] == 1 ? segment : 0u, header[11] == 2 ? 0x1_0007u : 0),
            kind == UpcallKind.TooBig ? mtu : 0u, IsLeaving: kind == UpcallKind.TooBig && header[11] == 3);
        int before = Accounted(slowPath, tables);
        slowPath.Handle(upcall, frame);
        if (header[10] % 4 == 1) return; // a batch: the next ones come before what is queued is sent
        tables.Flush();

        // Of a revalidation, and of a first fragment that others wait for, the packet itself went its way.
        bool isCopy = kind is UpcallKind.Revalidate or UpcallKind.Fragment;
        Contract.Require(
            isCopy || Accounted(slowPath, tables) > before, "every packet is sent, answered, counted, or waits");
        Contract.Require(tables.Connections.Count <= ConnectionsMax, "the connection table keeps its limit");
        foreach (DropReason reason in tables.Drops.Keys)
            Contract.Require(reason != DropReason.None && Enum.IsDefined(reason), "a reason has a name");
        tables.Now += TimeSpan.FromSeconds(header[11] / 8);
    }

    private static int Accounted(SlowPath slowPath, TableDatapath tables) =>
        tables.Sent + tables.Drops.Values.Sum() + slowPath.WaitingFragments;

    private void RequireNothingIsLeft(SlowPath slowPath, TableDatapath tables, NatTable nat)
    {
        FlowSweeper sweeper = new(tables, _classes, slowPath);
        for (int pass = 0; pass < 4; pass++)
        {
            tables.Now += TimeSpan.FromHours(24);
            slowPath.ExpireFragments();
            while (!sweeper.Turn()) continue;
            nat.Expire(tables.Now, int.MaxValue);
        }

        Contract.Require(tables.Connections.Count == 0, "days later no connection is left");
        Contract.Require(nat.Count == 0, "days later no translation is left");
        Contract.Require(slowPath.WaitingFragments == 0, "days later no fragment waits");
    }

    private static bool TryFrame(ReadOnlySpan<byte> input, int at, out int frameAt, out int frameLength)
    {
        (frameAt, frameLength) = (at + HeaderSize, 0);
        if (input.Length < frameAt) return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(input[at..]);
        frameLength = Math.Min(Math.Min(length, PacketMutator.FrameMax), input.Length - frameAt);
        return true;
    }

    private static byte[] Upcall(byte[] frame, byte slot)
    {
        byte[] header = new byte[HeaderSize];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)frame.Length);
        header[2] = slot;
        return [.. header, .. frame];
    }
}
