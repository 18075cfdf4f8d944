using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Validation;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;

namespace Genkan.Control.Translation;

/// <summary>
/// Tunnel keys are derived from names until a store hands them out, so two names may fall into one slot of a host's
/// delivery
/// table. That is found here, before anything is applied.
/// </summary>
internal static class DeliverySlots
{
    public static ImmutableArray<ConfigError> Check(TopologyParts parts)
    {
        ErrorList errors = new();
        foreach (Host host in parts.Hosts)
        {
            Dictionary<ushort, string> taken = [];
            foreach ((DeliveryKind kind, ObjectId target, string name) in Deliveries(parts, host.Id))
            {
                ushort slot = DeliveryKey.Of(kind, target, host.Id, ObjectId.None).Slot;
                if (taken.TryAdd(slot, name)) continue;
                errors.Add(
                    $"hosts.{host.Name}",
                    $"the names of {taken[slot]} and {name} give the same tunnel key slot {slot} on host '{host.Name}'",
                    "rename one of the two");
            }
        }

        return errors.ToImmutable();
    }

    private static IEnumerable<(DeliveryKind Kind, ObjectId Target, string Name)> Deliveries(
        TopologyParts parts, ObjectId host)
    {
        HashSet<ObjectId> bridges = [];
        foreach (VirtualPort port in parts.Ports)
        {
            if (port.Role != PortRole.Exterior || port.Binding?.Host != host) continue;
            yield return (DeliveryKind.Port, port.Id, $"port '{port.Name}'");
            bridges.Add(port.Device);
        }

        foreach (Bridge bridge in parts.Bridges.Where(bridge => bridges.Contains(bridge.Id)))
        {
            yield return (DeliveryKind.Flood, bridge.Id, $"network '{bridge.Name}'");
        }

        foreach (ExternalNetwork network in parts.ExternalNetworks.Where(n => n.Uplinks.Any(u => u.Host == host)))
        {
            yield return (DeliveryKind.FibExit, network.Id, $"external network '{network.Name}'");
        }

        foreach (Router router in parts.Routers)
        {
            if (router.SourceNat is { } nat && nat.Blocks.Any(b => b.Host == host))
            {
                yield return (DeliveryKind.NatReturn, nat.Id, $"SNAT of router '{router.Name}'");
            }
        }
    }
}
