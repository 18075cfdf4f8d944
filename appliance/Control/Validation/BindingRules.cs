using System;
using System.Collections.Generic;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Host = Genkan.Control.Model.Host;
using Uplink = Genkan.Control.Model.Uplink;

namespace Genkan.Control.Validation;

/// <summary>What is plugged into what: one interface and VLAN of a host carries one port or uplink.</summary>
internal static class BindingRules
{
    public static void Check(StatePlan plan, ErrorList errors)
    {
        Dictionary<(string Host, string Interface, int Vlan), string> taken = [];
        Dictionary<string, int> counts = new(StringComparer.Ordinal);
        foreach (Uplink uplink in plan.State.Uplinks)
        {
            int index = plan.State.Uplinks.IndexOf(uplink);
            Take(
                plan,
                $"uplinks[{index}]",
                $"uplink '{uplink.Name}'",
                (uplink.Host, uplink.Interface, uplink.Vlan),
                taken,
                errors);
            counts[uplink.Host] = counts.GetValueOrDefault(uplink.Host) + 1;
        }

        foreach (TenantPlan tenant in plan.Tenants)
        {
            for (int i = 0; i < tenant.Tenant.Ports.Length; i++)
            {
                Port port = tenant.Tenant.Ports[i];
                if (port.Binding is not { } binding) continue;
                string path = $"tenants.{tenant.Tenant.Name}.ports[{i}].binding";
                errors.Reference($"{path}.host", binding.Host, plan.Hosts.Keys, "host");
                errors.Interface($"{path}.interface", binding.Interface);
                errors.Vlan($"{path}.vlan", binding.Vlan);
                string owner = $"port '{tenant.FullName(port.Name)}'";
                Take(plan, path, owner, (binding.Host, binding.Interface, binding.Vlan), taken, errors);
                counts[binding.Host] = counts.GetValueOrDefault(binding.Host) + 1;
            }
        }

        foreach ((string host, int count) in counts)
        {
            errors.Limit(
                $"hosts.{host}.ports", count, TopologyLimits.PortsPerHostMax, $"ports and uplinks on host '{host}'");
        }
    }

    private static void Take(
        StatePlan plan, string path, string owner, (string Host, string Interface, int Vlan) place,
        Dictionary<(string Host, string Interface, int Vlan), string> taken, ErrorList errors)
    {
        string? underlay = plan.Hosts.TryGetValue(place.Host, out Host? host) ? host.Underlay.Interface : null;
        if (underlay == place.Interface && place.Vlan == 0)
        {
            errors.Add(
                $"{path}.interface",
                $"{owner} is bound to '{place.Interface}', the underlay of host '{place.Host}'",
                "another interface, or a VLAN on it");
        }
        else if (!taken.TryAdd(place, owner))
        {
            string vlan = place.Vlan == 0 ? "" : $" VLAN {place.Vlan}";
            errors.Add(
                $"{path}.interface",
                $"{owner} is bound to '{place.Interface}'{vlan} of host '{place.Host}', as {taken[place]} is",
                "one interface and VLAN carries one port");
        }
    }
}
