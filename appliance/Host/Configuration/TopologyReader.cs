using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Validation;
using Genkan.Wire;

namespace Genkan.Host.Configuration;

/// <summary>
/// Reads the tree of a topology file into the model. Only the shape is checked here; the model's rules are Control's.
/// </summary>
internal static class TopologyReader
{
    private static readonly Dictionary<string, Encapsulation> Encapsulations = new()
    {
        ["direct"] = Encapsulation.Direct,
        ["kernel"] = Encapsulation.Kernel,
    };

    /// <summary>Reads all of it.</summary>
    public static (string? Host, DesiredState State) Read(YamlNode root, FileReading reading)
    {
        if (new FileCursor(root, "", reading).Map("a topology") is not { } map) return (null, new DesiredState());
        List<Plug> plugs = [];
        string? self = map.Find("host")?.Text();
        ImmutableArray<Control.Model.Host> hosts = Named(
            map.Find("hosts"), (key, value) => ReadHost(key, value, plugs));
        ImmutableArray<Uplink> uplinks = map.ListOf("uplinks", ReadUplink);
        ImmutableArray<ExternalNetwork> outside = map.ListOf("external_networks", ReadExternalNetwork);
        ImmutableArray<Tenant> tenants = Named(map.Find("tenants"), TenantReader.Read);
        map.Close();
        if (!reading.IsIncomplete) tenants = PlugIn(tenants, plugs, reading);
        DesiredState state = new() { Hosts = hosts, Uplinks = uplinks, ExternalNetworks = outside, Tenants = tenants };
        return (self, state);
    }

    private static ImmutableArray<T> Named<T>(FileCursor? cursor, Func<string, FileCursor, T?> read)
        where T : class
    {
        ImmutableArray<T>.Builder items = ImmutableArray.CreateBuilder<T>();
        foreach ((YamlScalar key, FileCursor value) in cursor?.Entries() ?? [])
        {
            if (read(key.Text, value) is { } item) items.Add(item);
            else value.Reading.IsIncomplete = true;
        }

        return items.ToImmutable();
    }

    private static Control.Model.Host? ReadHost(string name, FileCursor cursor, List<Plug> plugs)
    {
        if (cursor.Map("a host") is not { } map) return null;
        Underlay? underlay = map.Require("underlay", "underlay: { address: …, interface: …, mtu: … }") is { } found
            ? ReadUnderlay(found)
            : null;
        foreach ((YamlScalar key, FileCursor value) in map.Find("ports")?.Entries() ?? [])
        {
            if (value.Map("a binding") is not { } binding) continue;
            string? interfaceName = binding.RequireText("interface", "the name of an interface of this host");
            ushort vlan = binding.Find("vlan")?.UInt16() ?? 0;
            binding.Close();
            if (interfaceName is not null)
            {
                plugs.Add(new Plug(name, key, value.Path, new PortBinding(name, interfaceName, vlan)));
            }
        }

        map.Close();
        return underlay is null ? null : new Control.Model.Host { Name = name, Underlay = underlay };
    }

    private static Underlay? ReadUnderlay(FileCursor cursor)
    {
        if (cursor.Map("an underlay") is not { } map) return null;
        IpAddress? address = map.Require("address", "this host's own address in the underlay", static c => c.Address());
        string? interfaceName = map.RequireText("interface", "the interface that holds the address");
        int? mtu = (int?)map.Find("mtu")?.Number(0, int.MaxValue);
        ushort? port = map.Find("vxlan_port")?.UInt16();
        Encapsulation encapsulation = map.Find("encapsulation")?.Word(Encapsulations) ?? Encapsulation.Direct;
        map.Close();
        if (address is null || interfaceName is null) return null;
        Underlay underlay = new() { Address = address.Value, Interface = interfaceName, Encapsulation = encapsulation };
        return underlay with { Mtu = mtu ?? underlay.Mtu, VxlanPort = port ?? underlay.VxlanPort };
    }

    private static ExternalNetwork? ReadExternalNetwork(FileCursor cursor)
    {
        if (cursor.Map("an external network") is not { } map) return null;
        string? name = map.RequireText("name", "name: …");
        ImmutableArray<IpPrefix> prefixes = map.List("prefixes", static c => c.Prefix());
        map.Close();
        return name is null ? null : new ExternalNetwork { Name = name, Prefixes = prefixes };
    }

    private static Uplink? ReadUplink(FileCursor cursor)
    {
        if (cursor.Map("an uplink") is not { } map) return null;
        string? name = map.RequireText("name", "name: …");
        string? host = map.RequireText("host", "the gateway host that has the interface");
        string? interfaceName = map.RequireText("interface", "the interface towards the ISP");
        string? network = map.RequireText("external_network", "the external network that it leads to");
        Uplink? uplink = name is null || host is null || interfaceName is null || network is null
            ? null
            : new Uplink { Name = name, Host = host, Interface = interfaceName, ExternalNetwork = network };
        ushort vlan = map.Find("vlan")?.UInt16() ?? 0;
        ImmutableArray<IpInterface> addresses = map.List("addresses", static c => c.Interface());
        ImmutableArray<IpAddress> gateways = map.List("gateways", static c => c.Address());
        uint table = (uint)(map.Find("table")?.Number(0, uint.MaxValue) ?? Uplink.DefaultTable);
        map.Close();
        if (uplink is null) return null;
        return uplink with { Vlan = vlan, Addresses = addresses, Gateways = gateways, Table = table };
    }

    // Ports are named under the host that they are plugged into; the model holds the binding with the port, as Neutron
    // does.
    private static ImmutableArray<Tenant> PlugIn(ImmutableArray<Tenant> tenants, List<Plug> plugs, FileReading reading)
    {
        Dictionary<(int Tenant, int Port), Plug> bound = [];
        foreach (Plug plug in plugs)
        {
            if (FindPort(tenants, plug, reading) is not { } place) continue;
            if (!bound.TryAdd(place, plug))
            {
                reading.Refuse(
                    plug.Key.Position, plug.Path,
                    $"port '{plug.Key.Text}' is plugged in twice: on host '{bound[place].Host}' and here",
                    "a port is in one place");
                continue;
            }

            string path = $"tenants.{tenants[place.Tenant].Name}.ports[{place.Port}].binding";
            reading.Place(path, plug.Key.Position);
            reading.Place($"{path}.interface", reading.PlaceOf($"{plug.Path}.interface"));
            reading.Place($"{path}.vlan", reading.PlaceOf($"{plug.Path}.vlan"));
        }

        return [.. tenants.Select((tenant, t) => tenant with
        {
            Ports = [.. tenant.Ports.Select((port, p) =>
                bound.TryGetValue((t, p), out Plug? plug) ? port with { Binding = plug.Binding } : port)],
        })];
    }

    private static (int Tenant, int Port)? FindPort(ImmutableArray<Tenant> tenants, Plug plug, FileReading reading)
    {
        string name = plug.Key.Text;
        List<(int Tenant, int Port)> found = [];
        for (int t = 0; t < tenants.Length; t++)
        {
            for (int p = 0; p < tenants[t].Ports.Length; p++)
            {
                string port = tenants[t].Ports[p].Name;
                if (port == name || $"{tenants[t].Name}/{port}" == name) found.Add((t, p));
            }
        }

        if (found.Count == 1) return found[0];
        if (found.Count > 1 && found.Select(static f => f.Tenant).Distinct().Count() > 1)
        {
            string choices = string.Join(" or ", found.Select(f => $"{tenants[f.Tenant].Name}/{name}"));
            reading.Refuse(plug.Key.Position, plug.Path, $"several tenants have a port '{name}'", $"write {choices}");
        }
        else if (found.Count == 0)
        {
            string[] known = [.. tenants.SelectMany(static t => t.Ports.Select(static p => p.Name))];
            reading.Refuse(
                plug.Key.Position, plug.Path, $"there is no port '{name}'", Suggestion.Hint(name, known, "ports"));
        }

        return found.Count == 0 ? null : found[0];
    }

    // A binding as it stands under a host, before its port is known.
    private sealed record Plug(string Host, YamlScalar Key, string Path, PortBinding Binding);
}
