using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;

namespace Genkan.Fuzz.Targets;

/// <summary>
/// One packet through a whole topology, entering anywhere in any state: it ends in a verdict within the limits, without
/// allocation, the same one twice, and the same one from its flow key alone if it may be cached. Octets in front: host,
/// way in, states, MTU; then the frame.
/// </summary>
internal sealed class SimulateTarget : IFuzzTarget, IConnections
{
    private const int FrameAt = 4;
    private const int TrialCount = 5;

    private readonly SimulationResult _result = new();
    private readonly SimulationResult _again = new();
    private ConnectionState _found;

    public string Name => "simulate";

    public int InputMax => FrameAt + PacketMutator.FrameMax;

    public (int EachOctet, int Besides)? AllocationMax => null; // measured around the simulation itself

    public (int EachOctet, int Besides) StepsMax => (2048, 500_000);

    public IEnumerable<byte[]> Seeds =>
        from frame in PacketSeeds.All
        from host in Enumerable.Range(0, World.Hosts.Length)
        from way in Enumerable.Range(0, World.WaysIn[host].Length)
        select (byte[])[(byte)host, (byte)way, 0, 0, .. frame];

    public int Mutate(Span<byte> buffer, int length, FuzzRandom random)
    {
        if (length > FrameAt && !random.OneIn(6))
            return FrameAt + PacketMutator.Mutate(buffer[FrameAt..], length - FrameAt, random);
        buffer[random.Below(FrameAt)] = random.Octet();
        return length;
    }

    public ConnectionState Find(in Ingress ingress, in PacketHeader packet) => _found;

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < FrameAt) return;
        ReadOnlySpan<byte> frame = input[FrameAt..];
        if (PacketHeader.TryDecode(frame, out PacketHeader packet) != PacketFault.None) return;
        int host = input[0] % World.Hosts.Length;
        TopologySnapshot topology = World.Hosts[host];
        ImmutableArray<(IngressKind Kind, ObjectId Object)> ways = World.WaysIn[host];
        (IngressKind kind, ObjectId at) = ways[input[1] % ways.Length];
        ConnectionState state = (ConnectionState)(input[2] % 3);
        _found = (ConnectionState)(input[2] / 3 % 3);
        Ingress ingress = new(kind, at, state, 0, input[3] > 127 ? 576u + (input[3] * 4u) : 0);

        NatTable nat = NatOf(topology);
        Simulator.Simulate(topology, this, nat, ingress, packet, frame, TimeSpan.FromHours(1), _result);
        RequireLimits(_result);
        RequireAnswer(_result);
        long least = long.MaxValue;

        // Again if it does: the runtime charges the thread for what it compiles on it, and for collections of others.
        for (int trial = 0; trial < TrialCount && least > 0; trial++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Simulator.Simulate(topology, this, nat, ingress, packet, frame, TimeSpan.FromHours(1), _again);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Contract.Require(least == 0 || IsService(packet), $"a simulation allocates nothing: {least}");
        RequireSame(_result, _again, "twice");
        if (_result.IsCacheable && _result.Verdict is SimulationVerdict.Forward or SimulationVerdict.Drop)
            RequireSameByKey(topology, nat, ingress, packet);
    }

    /// <summary>A table with the blocks that a host has in a topology.</summary>
    internal static NatTable NatOf(TopologySnapshot topology)
    {
        NatLimits limits = new() { BindingsMax = 64, BindingsPerSourceMax = 16 };
        NatTable nat = new(limits, NatTimeouts.Default, seed: 1);
        foreach (Router router in topology.Parts.Routers)
        {
            if (router.SourceNat is null) continue;
            NatBlock[] blocks =
            [
                .. router.SourceNat.Blocks.Where(b => b.Host == topology.LocalHost.Id)
                    .Select(static b => new NatBlock(b.Address, b.FirstPort, b.LastPort)),
            ];
            nat.SetBlocks(router.Id.Value, blocks);
        }

        return nat;
    }

    private void RequireSameByKey(
        TopologySnapshot topology, NatTable nat, in Ingress ingress, in PacketHeader packet)
    {
        if (!packet.IsIpv4 && !packet.IsIpv6) return;
        bool isL3 = ingress.Kind == IngressKind.NatReturn
            || (topology.TryGetPort(ingress.Object, out VirtualPort? port) && port.Role == PortRole.Uplink);
        PacketHeader entering = FlowTranslator.Entering(FlowKey.Of(1, packet, isL3));
        Simulator.Simulate(topology, this, nat, ingress with { MtuOctets = 0 }, entering, default,
            TimeSpan.FromHours(1), _again);
        RequireSame(_result, _again, "by the key alone");
    }

    private static void RequireSame(SimulationResult one, SimulationResult two, string how)
    {
        if (one.Verdict != two.Verdict || one.DropReason != two.DropReason)
        {
            throw new ContractException(
                $"the verdict is the same {how}: {one.Verdict} {one.DropReason}, {two.Verdict} {two.DropReason}");
        }

        RequireSame(one.Egress == two.Egress, "way out", how);
        RequireSame(one.Hops == two.Hops && one.State == two.State, "count of hops and the state", how);
        RequireSame(one.Targets.SequenceEqual(two.Targets), "list of copies", how);
        RequireSame(one.Tags.SequenceEqual(two.Tags), "list of tags", how);
        ref PacketHeader a = ref one.Packet, b = ref two.Packet;
        RequireSame(
            a.Source == b.Source && a.Destination == b.Destination && a.SourcePort == b.SourcePort
                && a.DestinationPort == b.DestinationPort, "rewritten packet", how);
    }

    private static void RequireSame(bool isSame, string what, string how)
    {
        if (!isSame) throw new ContractException($"the {what} is the same {how}");
    }

    private static void RequireLimits(SimulationResult result)
    {
        Contract.Require(Enum.IsDefined(result.Verdict), "the verdict has a name");
        Contract.Require(
            result.Verdict != SimulationVerdict.Drop || result.DropReason != DropReason.None, "a drop has a reason");
        Contract.Require(result.DropReason == DropReason.None || Enum.IsDefined(result.DropReason),
            "a reason has a name");
        bool goesOn = result.Verdict is SimulationVerdict.Forward or SimulationVerdict.ForwardTranslated;
        Contract.Require(!goesOn || result.Egress.Kind != EgressKind.None, "what is forwarded has a way out");
        Contract.Require(result.Hops <= TopologyLimits.DevicesPerPacketMax, "hops are within the limit");
        Contract.Require(result.AnswerLength <= SimulationResult.AnswerMax, "an answer is within the limit");
    }

    private static void RequireAnswer(SimulationResult result)
    {
        if (result.AnswerLength == 0 || result.Verdict == SimulationVerdict.ForwardTranslated) return;
        Contract.Require(result.AnswerEgress.Kind != EgressKind.None, "an answer has a way out");
        PacketFault fault = PacketHeader.TryDecode(result.Answer, out PacketHeader header);
        Contract.Require(fault == PacketFault.None, $"an answer decodes: {fault}");
        if (header.IsIcmp)
            Contract.Require(header.HasRightIcmpChecksum(result.Answer), "an answer's checksum is right");
    }

    /// <summary>Leases and advertisements are composed as objects; their budget is the port's own.</summary>
    private static bool IsService(in PacketHeader packet) =>
        (packet.Protocol == IpProtocol.Udp
            && packet.DestinationPort is DhcpMessage.ServerPort or Dhcpv6Message.ServerPort)
        || (packet.IsIcmpv6 && packet.IcmpType == (byte)Icmpv6Type.RouterSolicitation);
}
