using System;
using System.Collections.Immutable;
using System.Threading;
using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Traffic;
using Genkan.Control.Plan;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Benchmarks;

/// <summary>
/// First packets decided by the simulation alone, on one core: half of them to another network through the router,
/// half to the outside through source NAT; with security groups and anti-spoofing. Decoding the frame is part of
/// it.
/// </summary>
internal sealed class Simulate(string name, bool octets) : IBenchmark
{
    private const int FlowCount = 1_024;
    private const int RoundCount = 200;
    private const ulong Seed = 1;

    private readonly SimulationResult _result = new();
    private byte[] _frames = [];
    private TopologySnapshot? _topology;
    private NatTable? _nat;
    private Ingress _ingress;

    public string Name => name;

    public string Summary => octets
        ? "octets allocated for each simulation"
        : "first packets decided by the simulation on one core, half routed, half through source NAT";

    public string? Peer => null;

    public ImmutableArray<Figure> Figures =>
        [new Figure(octets ? "octets/simulation" : "simulations/s", LowerIsBetter: octets)];

    public void PreparePeer() => throw new InvalidOperationException("there is no peer");

    public void PrepareOurs()
    {
        _topology = BenchTopology.Make();
        _nat = new NatTable(NatLimits.Default, NatTimeouts.Default, Seed);
        _nat.SetBlocks(
            ObjectIds.Router(BenchTopology.Router).Value,
            [new NatBlock(IpAddress.Parse("198.51.100.10"), 1_024, 65_535)]);
        _ingress = new Ingress(
            IngressKind.Port, ObjectIds.Port(BenchTopology.Sender), ConnectionState.None);
        byte[] gateway = new byte[6];
        byte[] sender = Convert.FromHexString(Configurations.SenderMac.Replace(":", "", StringComparison.Ordinal));
        BenchTopology.GatewayMac(_topology).CopyTo(gateway);
        byte[] routed = new UdpBursts(gateway, sender, [10, 0, 1, 2], [10, 0, 2, 2]).BuildFrames(FlowCount / 2);
        byte[] translated = new UdpBursts(gateway, sender, [10, 0, 1, 2], [192, 0, 2, 99])
            .BuildFrames(FlowCount / 2);
        _frames = [.. routed, .. translated];
        for (int i = 0; i < RoundCount; i++) Round(TimeSpan.Zero); // until the compiler has seen enough
    }

    public double[] RunOurs()
    {
        double figure = 0;
        Thread thread = new(() =>
        {
            Core.BindThisThread();
            TimeSpan time = Core.TimeOfThisThread();
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < RoundCount; i++) Round(TimeSpan.FromMilliseconds(i));
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            time = Core.TimeOfThisThread() - time;
            const double count = (double)RoundCount * FlowCount;
            figure = octets ? allocated / count : count / time.TotalSeconds;
        });
        thread.Start();
        thread.Join();
        return [figure];
    }

    public double[] RunPeer() => throw new InvalidOperationException("there is no peer");

    public void Dispose()
    {
        // Everything is memory.
    }

    private void Round(TimeSpan now)
    {
        for (int i = 0; i < FlowCount; i++)
        {
            ReadOnlySpan<byte> frame = _frames.AsSpan(i * UdpBursts.FrameSize, UdpBursts.FrameSize);
            PacketFault fault = PacketHeader.TryDecode(frame, out PacketHeader packet);
            Simulator.Simulate(_topology!, NoConnections.Instance, _nat!, _ingress, packet, frame, now, _result);
            bool isTranslated = _result.Binding.Zone != 0;
            if (_result.Verdict != SimulationVerdict.Forward || isTranslated != i >= FlowCount / 2)
                throw new InvalidOperationException($"a packet is not forwarded: {fault} {_result.DropReason}");
        }
    }
}
