using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Control.Validation;
using Genkan.Overlay.Topology;

namespace Genkan.Control.Translation;

/// <summary>
/// Turns a desired state into the parts of a virtual topology. A pure function: every host makes the same parts.
/// </summary>
public static class TopologyTranslator
{
    /// <summary>Validates and translates.</summary>
    /// <param name="state">Any state.</param>
    /// <param name="parts">The topology if the state is good, else null.</param>
    /// <param name="errors">What is wrong, empty if good.</param>
    /// <returns>Whether the state is good.</returns>
    public static bool TryTranslate(
        DesiredState state, out TopologyParts? parts, out ImmutableArray<ConfigError> errors)
    {
        StatePlan plan = new(state);
        parts = null;
        errors = DesiredStateValidator.Validate(plan);
        if (!errors.IsEmpty) return false;

        TopologyParts made = Translate(plan);
        errors = DeliverySlots.Check(made);
        if (!errors.IsEmpty) return false;
        parts = made;
        return true;
    }

    private static TopologyParts Translate(StatePlan plan)
    {
        PartsBuilder parts = new();
        foreach (Model.Host host in plan.State.Hosts)
        {
            parts.Hosts.Add(new Overlay.Topology.Host(ObjectIds.Host(host.Name), host.Name, host.Underlay.Address));
        }

        foreach (TenantPlan tenant in plan.Tenants)
        {
            SecurityGroupTranslation.Add(tenant, parts);
            NetworkTranslation.Add(tenant, parts);
            foreach (RouterPlan router in tenant.Routers) RouterTranslation.Add(tenant, router, parts);
        }

        ProviderTranslation.Add(plan, parts);
        return parts.ToParts();
    }
}

/// <summary>Parts found so far.</summary>
internal sealed class PartsBuilder
{
    public List<Overlay.Topology.Host> Hosts { get; } = [];

    public List<Bridge> Bridges { get; } = [];

    public List<Overlay.Topology.Router> Routers { get; } = [];

    public List<VirtualPort> Ports { get; } = [];

    public List<Chain> Chains { get; } = [];

    public List<AddressGroup> AddressGroups { get; } = [];

    public List<Overlay.Topology.ExternalNetwork> ExternalNetworks { get; } = [];

    /// <summary>Routes of provider routers towards tenants, by external network.</summary>
    public Dictionary<string, List<Route>> ProviderRoutes { get; } = [];

    public void AddProviderRoute(string externalNetwork, in Route route)
    {
        if (!ProviderRoutes.TryGetValue(externalNetwork, out List<Route>? routes))
        {
            ProviderRoutes[externalNetwork] = routes = [];
        }
        if (!routes.Contains(route)) routes.Add(route);
    }

    public TopologyParts ToParts() => new(
        [.. Hosts],
        [.. Bridges],
        [.. Routers],
        [.. Ports.OrderBy(static port => port.Id)],
        [.. Chains],
        [.. AddressGroups],
        [.. ExternalNetworks]);
}
