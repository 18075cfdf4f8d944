using System.Globalization;
using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Peers;

namespace Genkan.Benchmarks;

/// <summary>All benchmarks, in the order in which <c>all</c> runs them.</summary>
internal static class Catalogue
{
    internal static IBenchmark[] Make() =>
    [
        new SideBySide(
            "l3-pps", "64-octet frames between two networks on one host, one core for all", "Linux routing",
            [new Figure("Mpps", Bar: Bar.Ratio(0.95))],
            () => new RouterOurs(translated: false, flowCount: 1),
            () => new RouterPeer(masquerade: false, flowCount: 1)),
        Snat("snat-pps", flowCount: 1),
        Snat("snat-pps-1000", flowCount: 1_000),
        new SideBySide(
            "overlay-tcp", "one TCP connection between VMs on two hosts", "kernel bridge + VXLAN",
            [new Figure("Gbit/s", Bar: Bar.Ratio(0.97))],
            () => new OverlayOurs(),
            () => new VxlanPeer()),
        new Simulate("simulate", octets: false),
        new Simulate("simulate-octets", octets: true),
    ];

    private static SideBySide Snat(string name, int flowCount) => new(
        name,
        string.Create(CultureInfo.InvariantCulture,
            $"64-octet frames through source NAT and security groups, flows: {flowCount}"),
        "nftables masquerade, stateful filter",
        [new Figure("Mpps", Bar: Bar.Ratio(1.3))],
        () => new RouterOurs(translated: true, flowCount),
        () => new RouterPeer(masquerade: true, flowCount));
}
