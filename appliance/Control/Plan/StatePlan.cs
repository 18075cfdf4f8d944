using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Control.Plan;

/// <summary>
/// A desired state with names found, defaults filled in and addresses allotted. It is made from any state, also one
/// with
/// mistakes (what cannot be found is left out), so that validation and translation see the same things.
/// </summary>
internal sealed class StatePlan
{
    public StatePlan(DesiredState state)
    {
        State = state;
        Hosts = FirstByName(state.Hosts, static host => host.Name);
        ExternalNetworks = FirstByName(state.ExternalNetworks, static network => network.Name);
        TenantMtuMax = state.Hosts.IsEmpty
            ? ControlLimits.MtuDefault
            : state.Hosts.Min(static host => host.Underlay.TenantMtuMax);
        Tenants = [.. state.Tenants.Select(tenant => new TenantPlan(this, tenant))];
    }

    public DesiredState State { get; }

    public Dictionary<string, Host> Hosts { get; }

    public Dictionary<string, ExternalNetwork> ExternalNetworks { get; }

    public ImmutableArray<TenantPlan> Tenants { get; }

    /// <summary>What the smallest underlay carries; 1500 without any host.</summary>
    public int TenantMtuMax { get; }

    /// <summary>MTU of a network with the default filled in.</summary>
    public int MtuOf(Network network) =>
        network.Mtu ?? Math.Clamp(TenantMtuMax, ControlLimits.MtuMin, ControlLimits.MtuDefault);

    /// <summary>The external network that a public address is in, or null.</summary>
    public ExternalNetwork? ExternalNetworkOf(IpAddress address) =>
        State.ExternalNetworks.FirstOrDefault(network => network.Prefixes.Any(prefix => prefix.Contains(address)));

    public static Dictionary<string, T> FirstByName<T>(ImmutableArray<T> items, Func<T, string> name)
    {
        Dictionary<string, T> found = new(items.Length, StringComparer.Ordinal);
        foreach (T item in items) found.TryAdd(name(item), item);
        return found;
    }
}
