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
    private delegate (string Name, QuotaUse Quota) Naming(in BudgetUse use);

    private ConnectionQuota Quota => runtime.Loop.SlowPath.Quota;

    /// <summary>Tenants with ports here, the outside, the other hosts; whoever was refused most is first.</summary>
    public IReadOnlyList<TenantReport> Tenants()
    {
        IReadOnlyDictionary<ObjectId, BudgetUse> totals = Datapath.Shares.Read();
        ILookup<ObjectId, BudgetUse> members = Datapath.Shares.ReadMembers();
        Dictionary<ObjectId, string> ports = Topology.LocalPorts.ToDictionary(static p => p.Id, static p => p.Name);
        (string Name, QuotaUse Quota) NamePort(in BudgetUse use) =>
            (ports.GetValueOrDefault(use.Owner, use.Owner.ToString()), Quota.OfPort(use.Index));
        List<TenantReport> tenants = [];
        foreach (string name in Topology.LocalPorts.Select(static p => p.Tenant).Distinct(StringComparer.Ordinal))
        {
            if (name.Length == 0) continue;
            ObjectId id = BudgetOwners.Tenant(name);
            tenants.Add(Report(name, "tenant", totals, id, members[id], NamePort) with
            {
                Flows = Quota.OfTenant(name).Flows,
                FlowsMax = Quota.OfTenant(name).FlowsMax,
            });
        }

        tenants.Add(Report(
            "outside", "outside", totals, BudgetOwners.Outside, members[BudgetOwners.Outside], DestinationNames()));
        tenants.Add(Report(
            "hosts", "hosts", totals, BudgetOwners.Hosts, members[BudgetOwners.Hosts], HostNames()));
        return [.. tenants.OrderByDescending(static t => t.Refused).ThenBy(static t => t.Name, StringComparer.Ordinal)];
    }

    private TenantReport Report(
        string name, string kind, IReadOnlyDictionary<ObjectId, BudgetUse> totals, ObjectId id,
        IEnumerable<BudgetUse> members, Naming naming)
    {
        BudgetUse total = totals.GetValueOrDefault(id);
        ShareReport[] shares =
        [
            .. members.Select(use => ShareOf(use, naming)).OrderByDescending(static s => s.Refused)
                .ThenBy(static s => s.Name, StringComparer.Ordinal),
        ];
        return new TenantReport
        {
            Name = name,
            Kind = kind,
            Flows = shares.Sum(static s => s.Flows),
            FlowsMax = 0,
            AskedPerSecond = Math.Round(total.AskedPerSecond),
            AllowedPerSecond = Math.Round(total.FlowsPerSecond),
            Refused = total.Refused,
            Members = shares,
        };
    }

    private ShareReport ShareOf(in BudgetUse use, Naming naming)
    {
        (string name, QuotaUse quota) = naming(use);
        return new ShareReport
        {
            Name = name,
            Flows = quota.Flows,
            FlowsMax = quota.FlowsMax,
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
        foreach (Route route in Topology.Parts.Routers.SelectMany(static r => r.Routes))
            known[BudgetOwners.Destination(route.Destination.ToString())] = route.Destination;
        return (in BudgetUse use) => !known.TryGetValue(use.Owner, out IpPrefix prefix)
            ? (use.Owner.ToString(), default)
            : (prefix.ToString(), prefix.IsHost ? Quota.OfAddress(prefix.Address) : default);
    }

    private Naming HostNames()
    {
        Dictionary<ObjectId, string> known = Topology.Parts.Hosts.ToDictionary(static h => h.Id, static h => h.Name);
        return (in BudgetUse use) => (known.GetValueOrDefault(use.Owner, use.Owner.ToString()), default);
    }
}
