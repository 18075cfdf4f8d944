using Genkan.Host.Api;
using Shouldly;

namespace Genkan.Host.Tests.Api;

/// <summary>Room in IPv6's table is no room for IPv4: what is told is the family that is nearer to its limit.</summary>
public sealed class QuotaReportTests
{
    [Theory]
    [InlineData(0, 10, 0, 10, "ipv4", 0, 10)]
    [InlineData(9, 10, 10, 1_000, "ipv4", 9, 10)]
    [InlineData(100, 1_000, 9, 10, "ipv6", 9, 10)]
    [InlineData(0, 1, 5, 100, "ipv6", 5, 100)]
    [InlineData(0, 0, 0, 0, "ipv4", 0, 0)]
    public void The_family_nearer_to_its_limit_is_told(
        long flows4, long max4, long flows6, long max6, string family, long flows, long max)
    {
        Held held = new() { Ipv4 = new FamilyCounts(flows4, max4), Ipv6 = new FamilyCounts(flows6, max6) };

        (held.Family, held.Flows, held.FlowsMax).ShouldBe((family, flows, max));
    }

    private sealed record Held : QuotaReport;
}
