using System.Collections.Generic;
using System.Linq;
using System.Text;
using Genkan.Overlay.Flows;

namespace Genkan.Overlay.Topology;

/// <content>What is bound where, and the tunnel keys that follow from it.</content>
internal sealed partial class TopologyChecks
{
    private const int InterfaceNameMax = 15; // IFNAMSIZ less the final zero

    private void CheckBindings()
    {
        Dictionary<(ObjectId, string, ushort), string> bound = [];
        Dictionary<ObjectId, int> counts = [];
        foreach (VirtualPort port in _parts.Ports)
        {
            if (port.Binding is not { } binding) continue;
            if (port.Role == PortRole.Interior)
                Fault(port.Id, port.Name, "An interior port is bound to no interface.", "Remove the binding.");
            if (!_hosts.ContainsKey(binding.Host))
                Fault(port.Id, port.Name, "A port is bound on a host that exists.", "Name one of the hosts.");
            if (Encoding.UTF8.GetByteCount(binding.Interface) is 0 or > InterfaceNameMax)
            {
                Fault(port.Id, port.Name, $"An interface name has 1 to {InterfaceNameMax} octets.",
                    "Use the name that `ip link` shows.");
            }

            if (binding.Vlan > 4094)
            {
                Fault(port.Id, port.Name, "A VID is 1 to 4094, or 0 for untagged (IEEE 802.1Q §9.6).",
                    "Correct the VID.");
            }

            if (!bound.TryAdd((binding.Host, binding.Interface, binding.Vlan), port.Name))
            {
                string other = bound[(binding.Host, binding.Interface, binding.Vlan)];
                Fault(port.Id, port.Name, $"An interface and VID carry one port, but {other} is bound there too.",
                    "Bind it elsewhere, or use another VID.");
            }

            counts[binding.Host] = counts.GetValueOrDefault(binding.Host) + 1;
        }

        foreach ((ObjectId host, int count) in counts)
        {
            if (count <= TopologyLimits.PortsPerHostMax) continue;
            Fault(host, NameOf(host), $"A host has at most {TopologyLimits.PortsPerHostMax} ports.",
                "Bind some elsewhere.");
        }
    }

    // Slots are derived from names so that no change elsewhere moves a key; the price is that two names may meet.
    private void CheckDeliverySlots()
    {
        Dictionary<(ObjectId Host, ushort Slot), string> taken = [];
        HashSet<(ObjectId, ObjectId)> floods = [];
        foreach (VirtualPort port in _parts.Ports)
        {
            if (port.Binding is not { } binding || port.Role != PortRole.Exterior) continue;
            TakeSlot(taken, DeliveryKind.Port, port.Id, port.Name, binding.Host);
            if (floods.Add((port.Device, binding.Host)))
                TakeSlot(taken, DeliveryKind.Flood, port.Device, NameOf(port.Device), binding.Host);
        }

        foreach (ExternalNetwork network in _parts.ExternalNetworks)
        {
            foreach (ObjectId host in network.Uplinks.Select(u => u.Host).Distinct())
                TakeSlot(taken, DeliveryKind.FibExit, network.Id, network.Name, host);
        }

        foreach (Router router in _parts.Routers)
        {
            if (router.SourceNat is not { } nat) continue;
            foreach (ObjectId host in nat.Blocks.Select(b => b.Host).Distinct())
                TakeSlot(taken, DeliveryKind.NatReturn, nat.Id, NameOf(nat.Id), host);
        }
    }

    private void TakeSlot(
        Dictionary<(ObjectId Host, ushort Slot), string> taken, DeliveryKind kind, ObjectId target, string name,
        ObjectId host)
    {
        ushort slot = DeliveryKey.Of(kind, target, host, ObjectId.None).Slot;
        if (taken.TryAdd((host, slot), name)) return;
        string other = taken[(host, slot)];
        Fault(target, name,
            $"Delivery slots of {NameOf(host)} are unique, but the names of this and of {other} hash to the same.",
            "Rename one of the two.");
    }

    private string NameOf(ObjectId id) => _names.GetValueOrDefault(id) ?? id.ToString();
}
