using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Tables;
using Genkan.Host.Api;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Host.Agent;

/// <content>Who asks for the agent's time, and for room in its tables.</content>
internal sealed partial class AgentReports
{
    private delegate (string Name, QuotaUses Quota, int Answers) Naming(in BudgetUse use);

    private ConnectionQuota Quota => runtime.Loop.SlowPath.Quota;

    /// <summary>Tenants with ports here, the outside, the other hosts; whoever was refused most is first.</summary>
    public IReadOnlyList<TenantReport> Tenants()
    {
        IReadOnlyDictionary<ObjectId, BudgetUse> totals = Datapath.Shares.Read();
        ILookup<ObjectId, BudgetUse> members = Datapath.Shares.ReadMembers();
        Dictionary<ObjectId, string> ports = Topology.LocalPorts.ToDictionary(static p => p.Id, static p => p.Name);
        (string Name, QuotaUses Quota, int Answers) NamePort(in BudgetUse use) =>
            (ports.GetValueOrDefault(use.Owner, use.Owner.ToString()), Quota.OfPort(use.Index),
                Quota.AnswersOfPort(use.Index));
        TenantReport Report(string name, string kind, ObjectId id, in QuotaUses quota, Naming naming) =>
            ReportOf(name, kind, totals.GetValueOrDefault(id), quota, members[id].Select(m => ShareOf(m, naming)));
        List<TenantReport> tenants =
        [
            .. LocalTenants().Select(
                name => Report(name, "tenant", BudgetOwners.Tenant(name), Quota.OfTenant(name), NamePort)),
            Report("outside", "outside", BudgetOwners.Outside, Quota.OfOutside(), DestinationNames()),
            Report("hosts", "hosts", BudgetOwners.Hosts, Quota.OfDeliveries(), HostNames()),
        ];
        return [.. tenants.OrderByDescending(static t => t.Refused).ThenBy(static t => t.Name, StringComparer.Ordinal)];
    }

    /// <summary>All shares of the connection table that a packet here may find used up.</summary>
    private IEnumerable<(string Name, QuotaUses Use)> Shares()
    {
        foreach (VirtualPort port in Topology.LocalPorts)
        {
            if (Datapath.TryGetSlot(port.Id, out uint slot)) yield return ($"port {port.Name}", Quota.OfPort(slot));
        }

        foreach (string tenant in LocalTenants()) yield return ($"tenant {tenant}", Quota.OfTenant(tenant));
        foreach (IpPrefix prefix in Destinations().Where(static p => p.IsHost).Distinct())
            yield return ($"address {prefix.Address}", Quota.OfAddress(prefix.Address));

        yield return ("all that comes from outside", Quota.OfOutside());
        yield return ("other hosts", Quota.OfDeliveries());
    }

    private IEnumerable<string> LocalTenants() => Topology.LocalPorts.Select(static p => p.Tenant)
        .Where(static name => name.Length > 0).Distinct(StringComparer.Ordinal);

    private IEnumerable<IpPrefix> Destinations() =>
        Topology.Parts.Routers.SelectMany(static r => r.Routes).Select(static r => r.Destination);

    private static TenantReport ReportOf(
        string name, string kind, in BudgetUse total, in QuotaUses quota, IEnumerable<ShareReport> shares) => new()
        {
            Name = name,
            Kind = kind,
            Ipv4 = FamilyCounts.Of(quota.Ipv4),
            Ipv6 = FamilyCounts.Of(quota.Ipv6),
            AskedPerSecond = Math.Round(total.AskedPerSecond),
            AllowedPerSecond = Math.Round(total.FlowsPerSecond),
            Refused = total.Refused,
            Members =
            [
                .. shares.OrderByDescending(static s => s.Refused).ThenBy(static s => s.Name, StringComparer.Ordinal),
            ],
        };

    private ShareReport ShareOf(in BudgetUse use, Naming naming)
    {
        (string name, QuotaUses quota, int answers) = naming(use);
        return new ShareReport
        {
            Name = name,
            Ipv4 = FamilyCounts.Of(quota.Ipv4),
            Ipv6 = FamilyCounts.Of(quota.Ipv6),
            Answers = answers,
            AskedPerSecond = Math.Round(use.AskedPerSecond),
            AllowedPerSecond = Math.Round(use.FlowsPerSecond),
            ComesToNothing = runtime.Loop.SlowPath.Samples.IsUseless(use.Index),
            Admitted = use.Admitted,
            RefusedFlows = use.RefusedFlows,
            RefusedControl = use.RefusedControl,
            RefusedCopies = use.RefusedCopies,
        };
    }

    // Of a prefix with many addresses each has a quota of its own, so there is no sum to compare with.
    private Naming DestinationNames()
    {
        Dictionary<ObjectId, IpPrefix> known = [];
        foreach (IpPrefix destination in Destinations())
            known[BudgetOwners.Destination(destination.ToString())] = destination;
        return (in BudgetUse use) => !known.TryGetValue(use.Owner, out IpPrefix prefix)
            ? (use.Owner.ToString(), default, 0)
            : (prefix.ToString(), prefix.IsHost ? Quota.OfAddress(prefix.Address) : default, 0);
    }

    private Naming HostNames()
    {
        Dictionary<ObjectId, string> known = Topology.Parts.Hosts.ToDictionary(static h => h.Id, static h => h.Name);
        return (in BudgetUse use) => (known.GetValueOrDefault(use.Owner, use.Owner.ToString()), default, 0);
    }
}
