using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Network = Genkan.Control.Model.Network;
using Router = Genkan.Control.Model.Router;
using Subnet = Genkan.Control.Model.Subnet;

namespace Genkan.Control.Plan;

/// <summary>A port with its MAC and addresses settled.</summary>
internal sealed record PortPlan(
    Port Port, int Index, string FullName, Network Network, MacAddress Mac, ImmutableArray<IpInterface> Addresses)
{
    public ObjectId Id => ObjectIds.Port(FullName);

    /// <summary>The address that a public one stands for.</summary>
    /// <param name="asked">What a floating IP or port forward names, or null.</param>
    /// <returns>Null if nothing is named and the port has no IPv4 address.</returns>
    public IpAddress? FixedIp(IpAddress? asked)
    {
        if (asked is not null) return asked;
        foreach (IpInterface own in Addresses)
        {
            if (own.Address.IsIpv4) return own.Address;
        }

        return null;
    }
}

/// <summary>A router's port on a network: one for all the subnets that it joins there.</summary>
internal sealed record RouterPortPlan(
    string RouterName, Network Network, MacAddress Mac, ImmutableArray<IpInterface> Addresses,
    ImmutableArray<Subnet> Subnets);

/// <summary>A router with its interfaces resolved.</summary>
internal sealed record RouterPlan(Router Router, int Index, string FullName, ImmutableArray<RouterPortPlan> Ports);

/// <summary>A subnet and the network that it is in.</summary>
internal readonly record struct SubnetPlace(Network Network, Subnet Subnet);

/// <summary>What <see cref="StatePlan"/> knows of one tenant.</summary>
internal sealed class TenantPlan
{
    private readonly Dictionary<string, List<SubnetPlace>> _subnetsByName = new(StringComparer.Ordinal);

    public TenantPlan(StatePlan state, Tenant tenant)
    {
        State = state;
        Tenant = tenant;
        Networks = StatePlan.FirstByName(tenant.Networks, static network => network.Name);
        foreach (Network network in tenant.Networks)
        {
            foreach (Subnet subnet in network.Subnets) Remember(subnet.DisplayName, new SubnetPlace(network, subnet));
        }

        SecurityGroups = StatePlan.FirstByName(tenant.SecurityGroups, static group => group.Name);
        SecurityGroups.TryAdd(SecurityGroup.DefaultName, SecurityGroup.Default);
        Routers = [.. tenant.Routers.Select(PlanRouter)];
        Ports = AddressPlan.Allot(this);
        PortsByName = StatePlan.FirstByName(Ports, static port => port.Port.Name);
    }

    public StatePlan State { get; }

    public Tenant Tenant { get; }

    public Dictionary<string, Network> Networks { get; }

    public Dictionary<string, SecurityGroup> SecurityGroups { get; }

    public ImmutableArray<RouterPlan> Routers { get; }

    /// <summary>Ports whose network exists, in the order of the state.</summary>
    public ImmutableArray<PortPlan> Ports { get; }

    public Dictionary<string, PortPlan> PortsByName { get; }

    public IReadOnlyCollection<string> SubnetNames => _subnetsByName.Keys;

    public string FullName(string name) => $"{Tenant.Name}/{name}";

    /// <summary>Groups of a port, by name, with the default filled in.</summary>
    public static ImmutableArray<string> GroupNames(Port port) =>
        port.SecurityGroups ?? (port.IsPortSecurityEnabled ? [SecurityGroup.DefaultName] : []);

    /// <summary>Finds what a router interface refers to.</summary>
    /// <param name="reference">As in <see cref="RouterInterface.Subnet"/>.</param>
    /// <returns>Empty if there is no such subnet; several of different networks if the name is not enough.</returns>
    public ImmutableArray<SubnetPlace> FindSubnets(string reference)
    {
        if (_subnetsByName.TryGetValue(reference, out List<SubnetPlace>? named)) return [.. named];
        if (Networks.TryGetValue(reference, out Network? whole))
        {
            return [.. whole.Subnets.Where(static s => s.Gateway is not null).Select(s => new SubnetPlace(whole, s))];
        }

        int slashAt = reference.IndexOf('/', StringComparison.Ordinal);
        if (slashAt < 0 || !Networks.TryGetValue(reference[..slashAt], out Network? network)) return [];
        string name = reference[(slashAt + 1)..];
        Subnet? subnet = network.Subnets.FirstOrDefault(s => s.Name == name || s.Cidr.ToString() == name);
        return subnet is null ? [] : [new SubnetPlace(network, subnet)];
    }

    /// <summary>The router that joins a network and leads to an external network, or null.</summary>
    public RouterPlan? FindRouter(Network network, string externalNetwork) => Routers.FirstOrDefault(router =>
        router.Router.ExternalGateway?.Network == externalNetwork
        && router.Ports.Any(port => ReferenceEquals(port.Network, network)));

    private void Remember(string name, SubnetPlace place)
    {
        if (!_subnetsByName.TryGetValue(name, out List<SubnetPlace>? places)) _subnetsByName[name] = places = [];
        places.Add(place);
    }

    private RouterPlan PlanRouter(Router router, int index)
    {
        string fullName = FullName(router.Name);
        List<RouterPortPlan> ports = [];
        foreach (RouterInterface attachment in router.Interfaces)
        {
            foreach (SubnetPlace place in FindSubnets(attachment.Subnet))
            {
                IpAddress? address = attachment.Address ?? place.Subnet.Gateway;
                if (address is null || address.Value.IsIpv4 != place.Subnet.Cidr.IsIpv4) continue;
                Add(ports, fullName, place, new IpInterface(address.Value, place.Subnet.Cidr.LengthBits));
            }
        }

        return new RouterPlan(router, index, fullName, [.. ports.Select(WithLinkLocal)]);
    }

    private static void Add(List<RouterPortPlan> ports, string router, SubnetPlace place, IpInterface address)
    {
        int at = ports.FindIndex(port => ReferenceEquals(port.Network, place.Network));
        if (at < 0)
        {
            ObjectId id = ObjectIds.RouterPort(router, place.Network.Name);
            ports.Add(
                new RouterPortPlan(router, place.Network, DerivedMac.OfRouterPort(id), [address], [place.Subnet]));
            return;
        }

        RouterPortPlan port = ports[at];
        if (port.Subnets.Contains(place.Subnet)) return;
        ports[at] = port with { Addresses = port.Addresses.Add(address), Subnets = port.Subnets.Add(place.Subnet) };
    }

    // RFC 4291 §2.8: a router has a link-local address on each interface; router advertisements come from it.
    private static RouterPortPlan WithLinkLocal(RouterPortPlan port) => port.Addresses.Any(static a => a.Address.IsIpv6)
        ? port with { Addresses = port.Addresses.Add(new IpInterface(IpAddress.LinkLocalOf(port.Mac), 64)) }
        : port;
}
