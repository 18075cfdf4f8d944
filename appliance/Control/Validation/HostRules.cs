using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Wire;

namespace Genkan.Control.Validation;

/// <summary>Hosts and their underlay.</summary>
internal static class HostRules
{
    public static void Check(StatePlan plan, ErrorList errors)
    {
        ImmutableArray<Host> hosts = plan.State.Hosts;
        if (hosts.IsEmpty)
        {
            errors.Add(
                "hosts",
                "there is no host",
                "each server that runs an agent is a host: hosts: { NAME: { underlay: … } }");
        }

        errors.Limit("hosts", hosts.Length, ControlLimits.HostsMax, "hosts");
        errors.Names(hosts, static host => host.Name, i => $"hosts.{hosts[i].Name}", "hosts");
        Dictionary<IpAddress, string> byAddress = [];
        foreach (Host host in hosts)
        {
            string path = $"hosts.{host.Name}.underlay";
            CheckUnderlay(path, host, hosts[0], errors);
            if (!byAddress.TryAdd(host.Underlay.Address, host.Name))
            {
                errors.Add(
                    $"{path}.address",
                    $"hosts '{byAddress[host.Underlay.Address]}' and '{host.Name}' have the same underlay address "
                    + $"{host.Underlay.Address}",
                    "give each host its own");
            }
        }
    }

    private static void CheckUnderlay(string path, Host host, Host first, ErrorList errors)
    {
        Underlay underlay = host.Underlay;
        IpAddress address = underlay.Address;
        if (address.IsUnspecified || address.IsMulticast || address.IsLoopback || address.IsBroadcast
            || address.IsLinkLocal)
        {
            errors.Add(
                $"{path}.address",
                $"{address} cannot be the end of a tunnel",
                "a global unicast address of the interface");
        }
        else if (address.IsIpv4 != first.Underlay.Address.IsIpv4)
        {
            errors.Add(
                $"{path}.address",
                $"{address} and the {first.Underlay.Address} of host '{first.Name}' are of different families",
                "all underlay addresses are IPv4, or all are IPv6");
        }

        errors.Interface($"{path}.interface", underlay.Interface);
        int least = ControlLimits.MtuMin + underlay.OverheadOctets;
        if (underlay.Mtu < least || underlay.Mtu > ControlLimits.MtuMax)
        {
            errors.Add(
                $"{path}.mtu",
                $"an underlay MTU of {underlay.Mtu} is outside {least} to {ControlLimits.MtuMax}",
                "the octets of the largest IP packet that the switch between the hosts carries, e.g. 1600");
        }

        if (underlay.VxlanPort == 0)
        {
            errors.Add($"{path}.vxlan_port", "UDP port 0 does not exist", "4789 is the registered one");
        }
        if (underlay.VxlanPort != first.Underlay.VxlanPort)
        {
            errors.Add(
                $"{path}.vxlan_port",
                $"{underlay.VxlanPort} differs from the {first.Underlay.VxlanPort} of host '{first.Name}'",
                "all hosts use the same port");
        }
    }
}
