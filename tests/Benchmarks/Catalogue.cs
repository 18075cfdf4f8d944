namespace Genkan.Benchmarks;

/// <summary>All benchmarks, in the order in which <c>all</c> runs them.</summary>
internal static class Catalogue
{
    internal static IBenchmark[] Make() =>
    [
        new L3Pps(),
        new SnatPps("snat-pps", flowCount: 1),
        new SnatPps("snat-pps-1000", flowCount: 1_000),
        new OverlayTcp(),
        new Simulate("simulate", octets: false),
        new Simulate("simulate-octets", octets: true),
    ];
}
