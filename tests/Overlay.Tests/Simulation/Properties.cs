using System;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>What holds for any packet.</summary>
public sealed class Properties
{
    private static readonly string[] RedPorts = ["red/red-a", "red/red-c"];

    [Fact]
    public void Any_octets_that_decode_end_in_a_verdict_and_never_throw()
    {
        Lab lab = Lab.OnHv1;
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<ushort>(), (tail, pick) =>
        {
            byte[] frame = Mutate(Samples()[pick % Samples().Length], tail, pick);
            if (PacketHeader.TryDecode(frame, out PacketHeader packet) != PacketFault.None) return true;
            foreach (IngressKind kind in Enum.GetValues<IngressKind>())
            {
                ObjectId at = kind switch
                {
                    IngressKind.Port => Courtyard.Port(RedPorts[pick % 2]),
                    IngressKind.Flood => Courtyard.Device("red/red-1"),
                    _ => Courtyard.Pool,
                };
                ConnectionState state = (ConnectionState)(pick % 3);
                Simulator.Simulate(lab.Topology, lab, lab.Nat, new Ingress(kind, at, state), packet, frame,
                    TimeSpan.Zero, lab.Result);
                CheckVerdict(lab.Result);

                // As the agent revalidates: the key is all that is left of the packet.
                Simulator.Simulate(
                    lab.Topology, lab, lab.Nat, new Ingress(kind, at, state), packet, default, TimeSpan.Zero,
                    lab.Result);
                CheckVerdict(lab.Result);
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void Red_never_reaches_blue_at_any_address()
    {
        Lab lab = Lab.OnHv1;
        MacAddress router = MacAddress.Parse("02:00:00:00:01:01");
        Prop.ForAll(ArbMap.Default.ArbFor<uint>(), ArbMap.Default.ArbFor<ushort>(), (address, pick) =>
        {
            string destination = pick % 3 == 0 ? $"10.0.1.{address & 0xff}" : IpAddress.FromIpv4(address).ToString();
            MacAddress[] macs =
                [router, Courtyard.Mac("blue/blue-a"), Courtyard.Mac("blue/blue-b"),
                MacAddress.Parse("02:00:00:00:02:01")];
            SimulationResult result = lab.From(
                "red/red-a", Frames.Tcp(macs[pick % 4], Courtyard.Mac("red/red-a"), "10.0.1.11", destination, pick, 80),
                (ConnectionState)(pick % 3));
            return !NameOf(lab, result.Egress).StartsWith("blue/", StringComparison.Ordinal)
                && result.Targets.ToArray().All(t => !NameOf(lab, t).StartsWith("blue/", StringComparison.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void An_answer_is_admitted_exactly_when_its_question_is()
    {
        MacAddress a = Courtyard.Mac("red/red-a");
        MacAddress b = Courtyard.Mac("red/red-b");
        Lab lab = Lab.OnHv1;
        Prop.ForAll(ArbMap.Default.ArbFor<ushort>(), ArbMap.Default.ArbFor<bool>(), (port, isKnown) =>
        {
            ushort service = isKnown ? new ushort[] { 80, 5201, 22 }[port % 3] : port;
            bool isAsked = lab.From("red/red-a", Frames.Tcp(b, a, "10.0.1.11", "10.0.1.12", 1000, service)).Verdict
                == SimulationVerdict.Forward;
            bool isAnswered = lab.From(
                "red/red-b", Frames.Tcp(a, b, "10.0.1.12", "10.0.1.11", service, 1000, TcpFlags.Ack),
                ConnectionState.Reply).Verdict
                == SimulationVerdict.Forward;
            return isAsked == isAnswered;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    public void Rendezvous_moves_only_the_flows_of_the_candidate_that_goes(int count)
    {
        const int Flows = 10_000;
        ObjectId[] all = [.. Enumerable.Range(0, count).Select(i => ObjectId.Of("host", $"h{i}"))];
        int moved = 0;
        for (uint i = 0; i < Flows; i++)
        {
            ulong flow =
                Rendezvous.FlowHash(IpAddress.FromIpv4(0x0a000000 + i), IpAddress.FromIpv4(0xc6120000 + (i % 7)));
            ObjectId before = Rendezvous.Choose(flow, all);
            ObjectId after = Rendezvous.Choose(flow, all.AsSpan(1));
            if (before != all[0]) after.ShouldBe(before);
            else moved++;
        }

        (moved / (double)Flows).ShouldBeInRange(0.5 / count, (1.0 / count) + 0.05);
    }

    private static void CheckVerdict(SimulationResult result)
    {
        Enum.IsDefined(result.Verdict).ShouldBeTrue();
        if (result.Verdict == SimulationVerdict.Drop) result.DropReason.ShouldNotBe(DropReason.None);
        if (result.Verdict is SimulationVerdict.Forward or SimulationVerdict.ForwardTranslated)
            result.Egress.Kind.ShouldNotBe(EgressKind.None);
    }

    private static string NameOf(Lab lab, in Egress egress) => lab.Topology.NameOf(egress.Object);

    private static byte[][] Samples()
    {
        MacAddress a = Courtyard.Mac("red/red-a");
        MacAddress b = Courtyard.Mac("red/red-b");
        MacAddress router = MacAddress.Parse("02:00:00:00:01:01");
        const string A6 = "2001:db8:1:1:f816:3eff:fe00:111";
        return
        [
            Frames.Tcp(b, a, "10.0.1.11", "10.0.1.12", 1000, 80),
            Frames.Udp(MacAddress.Broadcast, a, "0.0.0.0", "255.255.255.255", 68, 67, payloadOctets: 260),
            Frames.Udp(router, a, "10.0.1.11", "198.51.100.10", 1000, 53),
            Frames.Ping(router, a, "10.0.1.11", "10.0.2.1"),
            Frames.Ping(router, a, A6, "2001:db8:1:1::1"),
            Frames.Solicit(a, A6, "2001:db8:1:1::1"),
            Frames.Arp(MacAddress.Broadcast, a, a, "10.0.1.11", "10.0.1.1"),
            Frames.Tcp(router, a, A6, "2001:db8:f::1", 1, 2),
            Frames.Udp(MacAddress.Parse("33:33:00:01:00:02"), a, "fe80::f816:3eff:fe00:111", "ff02::1:2", 546, 547,
                payloadOctets: 40),
            Frames.Error(router, a, "10.0.1.11", Frames.Tcp(a, router, "198.18.0.1", "10.0.1.11", 1, 80),
                IcmpError.TimeExceeded(true)),
        ];
    }

    // Some octets overwritten, the IPv4 header checksum put right again so that most mutants still decode.
    private static byte[] Mutate(byte[] frame, byte[] tail, ushort pick)
    {
        byte[] copy = [.. frame, .. tail];
        for (int i = 0; i < tail.Length; i++) copy[(pick + (tail[i] * (i + 1))) % frame.Length] = tail[i];
        if (copy[12] == 8 && copy[13] == 0 && (copy[14] & 0xf) == 5)
        {
            (copy[24], copy[25]) = (0, 0);
            ushort sum = InternetChecksum.Compute(copy.AsSpan(14, 20));
            (copy[24], copy[25]) = ((byte)(sum >> 8), (byte)sum);
        }

        return copy;
    }
}
