using System;
using System.Collections.Generic;
using Genkan.Datapath.Native;
using Genkan.Wire;

namespace Genkan.Datapath.Netlink;

public sealed partial class RouteSocket
{
    private const ushort NeighbourReachable = 2;
    private const ushort NeighbourPermanent = 0x80;

    /// <summary>
    /// Gives an interface an address; IPv6 addresses are used at once, without duplicate address detection.
    /// </summary>
    /// <exception cref="KernelException">Refused; <c>EEXIST</c> if it has the address.</exception>
    public void AddAddress(int ifindex, IpInterface address) =>
        Demand(Address(NetlinkType.NewAddress, ifindex, address), $"add {address} to interface {ifindex}");

    /// <summary>Takes an address off an interface.</summary>
    /// <returns>False if it did not have it.</returns>
    /// <exception cref="KernelException">Refused.</exception>
    public bool DeleteAddress(int ifindex, IpInterface address) =>
        Remove(Address(NetlinkType.DelAddress, ifindex, address), $"delete {address} from interface {ifindex}");

    /// <summary>All addresses of the namespace with their interfaces.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public IReadOnlyList<(int Ifindex, IpInterface Address)> ListAddresses()
    {
        List<(int, IpInterface)> addresses = [];
        NetlinkMessage message = new(
            NetlinkType.GetAddress, NetlinkFlags.Dump, FixedPart.Of(default(AddressHeader)));
        Dump(message, Read, "list addresses");
        return addresses;

        void Read(NetlinkType type, ReadOnlySpan<byte> body)
        {
            if (TryDecodeAddress(body) is { } address) addresses.Add(address);
        }
    }

    /// <summary>Makes or replaces a neighbour entry.</summary>
    /// <param name="ifindex">Interface.</param>
    /// <param name="address">IP address.</param>
    /// <param name="mac">Its MAC address.</param>
    /// <param name="permanent">False to let the kernel verify and forget it.</param>
    /// <exception cref="KernelException">Refused.</exception>
    public void SetNeighbour(int ifindex, IpAddress address, MacAddress mac, bool permanent = true)
    {
        NeighbourHeader header = new()
        {
            Family = FamilyOf(address),
            Ifindex = ifindex,
            State = permanent ? NeighbourPermanent : NeighbourReachable,
        };
        NetlinkMessage message = new(
            NetlinkType.NewNeighbour, NetlinkFlags.Create | NetlinkFlags.Replace, FixedPart.Of(header));
        Add(message, NeighbourAttribute.Destination, address);
        Add(message, NeighbourAttribute.LinkLayerAddress, mac);
        Demand(message, $"set neighbour {address} of interface {ifindex}");
    }

    /// <summary>Removes a neighbour entry.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="KernelException">Refused.</exception>
    public bool DeleteNeighbour(int ifindex, IpAddress address)
    {
        NeighbourHeader header = new() { Family = FamilyOf(address), Ifindex = ifindex };
        NetlinkMessage message = new(NetlinkType.DelNeighbour, NetlinkFlags.None, FixedPart.Of(header));
        Add(message, NeighbourAttribute.Destination, address);
        return Remove(message, $"delete neighbour {address} of interface {ifindex}");
    }

    /// <summary>All neighbour entries that have a MAC address.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public IReadOnlyList<(int Ifindex, IpAddress Address, MacAddress Mac)> ListNeighbours()
    {
        List<(int, IpAddress, MacAddress)> neighbours = [];
        NetlinkMessage message = new(
            NetlinkType.GetNeighbour, NetlinkFlags.Dump, FixedPart.Of(default(NeighbourHeader)));
        Dump(message, Read, "list neighbours");
        return neighbours;

        void Read(NetlinkType type, ReadOnlySpan<byte> body)
        {
            if (!FixedPart.TrySplit(body, out NeighbourHeader header, out NetlinkAttributes attributes)) return;
            (IpAddress? address, MacAddress? mac) = (null, null);
            while (attributes.TryNext())
            {
                if (attributes.Type == NeighbourAttribute.Destination) address = TryDecodeIp(attributes.Value);
                if (attributes.Type == NeighbourAttribute.LinkLayerAddress
                    && attributes.Value.Length == MacAddress.Size)
                {
                    mac = MacAddress.FromOctets(attributes.Value);
                }
            }
            if (address is { } ip && mac is { } link) neighbours.Add((header.Ifindex, ip, link));
        }
    }

    /// <summary>Reads the body of RTM_NEWADDR or RTM_DELADDR; null if it has none of our families.</summary>
    internal static (int Ifindex, IpInterface Address)? TryDecodeAddress(ReadOnlySpan<byte> body)
    {
        if (!FixedPart.TrySplit(body, out AddressHeader header, out NetlinkAttributes attributes)) return null;
        (IpAddress? address, IpAddress? local) = (null, null);
        while (attributes.TryNext())
        {
            if (attributes.Type == AddressAttribute.Address) address = TryDecodeIp(attributes.Value);
            if (attributes.Type == AddressAttribute.Local) local = TryDecodeIp(attributes.Value);
        }
        // On a point-to-point interface ADDRESS is the other side and LOCAL ours; IPv6 gives ADDRESS alone.
        return (local ?? address) is { } own && header.LengthBits <= own.FamilyBits
            ? (header.Ifindex, new IpInterface(own, header.LengthBits))
            : null;
    }

    private static IpAddress? TryDecodeIp(ReadOnlySpan<byte> octets) =>
        octets.Length is IpAddress.Ipv4Size or IpAddress.Ipv6Size ? IpAddress.FromOctets(octets) : null;

    private static NetlinkMessage Address(NetlinkType type, int ifindex, IpInterface address)
    {
        AddressHeader header = new()
        {
            Family = FamilyOf(address.Address),
            LengthBits = (byte)address.LengthBits,
            Ifindex = ifindex,
        };
        NetlinkFlags flags = type == NetlinkType.NewAddress
            ? NetlinkFlags.Create | NetlinkFlags.Exclusive
            : NetlinkFlags.None;
        NetlinkMessage message = new(type, flags, FixedPart.Of(header));
        Add(message, AddressAttribute.Local, address.Address);
        Add(message, AddressAttribute.Address, address.Address);
        message.AddUInt32(AddressAttribute.Flags, AddressAttribute.FlagNoDad);
        if (address.Address.IsIpv4 && address.LengthBits < 31)
        {
            Add(message, AddressAttribute.Broadcast, address.Prefix.Broadcast);
        }
        return message;
    }
}
