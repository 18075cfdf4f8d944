using System;
using System.Globalization;
using Genkan.Benchmarks.Flooding;
using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Peers;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks;

/// <summary>All benchmarks, in the order in which <c>all</c> runs them.</summary>
internal static class Catalogue
{
    private const string Masquerade = "nftables masquerade, stateful filter";
    private const string Vxlan = "kernel bridge + VXLAN";

    internal static IBenchmark[] Make() =>
    [
        Rate(
            "l2-pps", "64-octet frames between two VMs of one network on one host", "kernel bridge", 1.3,
            () => new LocalOurs(LocalPath.Bridged), () => new BridgePeer()),
        Rate(
            "l3-pps", "64-octet frames between two networks on one host", "Linux routing", 0.95,
            () => new LocalOurs(LocalPath.Routed), () => new RouterPeer(masquerade: false)),
        Snat("snat-pps", flowCount: 1),
        Snat("snat-pps-1000", flowCount: 1_000),
        Scale("flows-scale", UdpBursts.FrameCountUsual),
        Scale("flows-scale-1", framesInRow: 1),
        Rate(
            "overlay-pps", "64-octet frames between VMs on two hosts, one core for both", Vxlan, 1.2,
            () => new OverlayOurs(), () => new VxlanPeer()),
        Transfer(
            "overlay-tcp", "one TCP connection between VMs on two hosts", Vxlan, 0.97,
            () => new OverlayOurs(), () => new VxlanPeer()),
        Transfer(
            "local-tcp", "one TCP connection between two networks on one host", "Linux routing", 0.97,
            () => new LocalOurs(LocalPath.Routed), () => new RouterPeer(masquerade: false)),
        new Upcalls(),
        new FirstPacket(),
        new SideBySide(
            "conn-rate", "TCP connections through source NAT, opened and closed, for each second of a core's time",
            Masquerade, [new Figure("connections/s", Bar: Bar.Ratio(0.9))],
            () => new ConnectionRate(new LocalOurs(LocalPath.Translated)),
            () => new ConnectionRate(new RouterPeer(masquerade: true))),
        new RestartLoss("restart-loss", otherLayout: false),
        new RestartLoss("upgrade-loss", otherLayout: true),
        new Flood("flood", "a VM's new connections and goodput while a VM of another tenant floods", FloodFrom.Rival),
        new Flood("flood-own", "as flood, from a VM of the same tenant, behind the same source NAT", FloodFrom.Own),
        new Flood(
            "flood-scan", "as flood, from an Internet host that scans the range of floating IPs", FloodFrom.Internet),
        new Simulate("simulate", octets: false),
        new Simulate("simulate-octets", octets: true),
    ];

    private static SideBySide Rate(
        string name, string summary, string peer, double bar, Func<ITestbed> ours, Func<ITestbed> theirs,
        int flowCount = 1) =>
        new(
            name, summary, peer, [new Figure("Mpps", Bar: Bar.Ratio(bar))],
            () => new PacketRate(ours(), flowCount), () => new PacketRate(theirs(), flowCount));

    private static SideBySide Transfer(
        string name, string summary, string peer, double bar, Func<ITestbed> ours, Func<ITestbed> theirs) =>
        new(
            name, summary, peer, [new Figure("Gbit/s", Bar: Bar.Ratio(bar))],
            () => new TcpTransfer(ours()), () => new TcpTransfer(theirs()));

    private static SideBySide Snat(string name, int flowCount) => Rate(
        name,
        string.Create(CultureInfo.InvariantCulture,
            $"64-octet frames through source NAT and security groups, flows: {flowCount:#,0}"),
        Masquerade, 1.3,
        () => new LocalOurs(LocalPath.Translated), () => new RouterPeer(masquerade: true), flowCount);

    private static SideBySide Scale(string name, int framesInRow) => new(
        name,
        string.Create(CultureInfo.InvariantCulture, $"snat-pps with more flows, {framesInRow} frames of one in a row"),
        Masquerade,
        FlowScale.Figures(ratioMin: 1.3, leftMin: 0.8),
        () => new FlowScale(() => new LocalOurs(LocalPath.Translated), framesInRow),
        () => new FlowScale(() => new RouterPeer(masquerade: true), framesInRow));
}
