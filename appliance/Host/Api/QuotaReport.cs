using Genkan.Overlay.Flows;

namespace Genkan.Host.Api;

/// <summary>Entries of the connection tables (a connection within the host has two), and how many there may be: as many
/// as are free, for some twice as many. Each family has a table of its own.</summary>
public abstract record QuotaReport
{
    /// <summary>Of IPv4.</summary>
    public required FamilyCounts Ipv4 { get; init; }

    /// <summary>Of IPv6.</summary>
    public required FamilyCounts Ipv6 { get; init; }

    /// <summary><c>ipv4</c> or <c>ipv6</c>: which is nearer to its limit.</summary>
    public string Family => IsIpv6Nearer ? "ipv6" : "ipv4";

    /// <summary>Entries of that family.</summary>
    public long Flows => (IsIpv6Nearer ? Ipv6 : Ipv4).Flows;

    /// <summary>Entries of that family that may be; 0: there is no quota, and nothing is counted.</summary>
    public long FlowsMax => (IsIpv6Nearer ? Ipv6 : Ipv4).FlowsMax;

    private bool IsIpv6Nearer => PartOf(Ipv6) > PartOf(Ipv4);

    private static double PartOf(FamilyCounts counts) =>
        counts.FlowsMax == 0 ? 0 : counts.Flows / (double)counts.FlowsMax;
}

/// <summary>Entries of one family's connection table.</summary>
/// <param name="Flows">That are there.</param>
/// <param name="FlowsMax">That may be.</param>
public sealed record FamilyCounts(long Flows, long FlowsMax)
{
    /// <summary>Makes it from what the agent counts.</summary>
    internal static FamilyCounts Of(in QuotaUse use) => new(use.Flows, use.FlowsMax);
}
