using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Genkan.Datapath.Native;
using Genkan.Wire;

namespace Genkan.Datapath.Netlink;

public sealed partial class RouteSocket
{
    /// <summary>Octets of the longest name of an interface.</summary>
    public const int LinkNameLengthMax = 15;

    /// <summary>Makes a veth pair, both ends down.</summary>
    /// <exception cref="KernelException">Refused, such as for a name that exists.</exception>
    public void CreateVeth(VethEnd end, VethEnd peer)
    {
        NetlinkMessage message = NewLink(0, NetlinkFlags.Create | NetlinkFlags.Exclusive);
        Describe(message, end);
        int info = message.Open(LinkAttribute.Info);
        message.AddText(LinkAttribute.InfoKind, "veth");
        int data = message.Open(LinkAttribute.InfoData);
        int other = message.Open(LinkAttribute.VethPeer);
        LinkHeader header = default;
        message.Append(FixedPart.Of(header));
        Describe(message, peer);
        message.Close(other);
        message.Close(data);
        message.Close(info);
        Demand(message, $"create veth {end.Name} - {peer.Name}");
    }

    /// <summary>Makes a VXLAN device in collect-metadata mode with group policy and without learning, down.</summary>
    /// <exception cref="KernelException">Refused; <c>EEXIST</c> also if another device has the UDP port.</exception>
    public void CreateVxlan(VxlanDevice device)
    {
        NetlinkMessage message = NewLink(0, NetlinkFlags.Create | NetlinkFlags.Exclusive);
        message.AddText(LinkAttribute.Name, device.Name);
        message.AddUInt32(LinkAttribute.Mtu, (uint)device.MtuOctets);
        if (device.Mac is { } mac) Add(message, LinkAttribute.Address, mac);
        int info = message.Open(LinkAttribute.Info);
        message.AddText(LinkAttribute.InfoKind, "vxlan");
        int data = message.Open(LinkAttribute.InfoData);
        message.AddByte(VxlanAttribute.CollectMetadata, 1);
        message.AddByte(VxlanAttribute.Learning, 0);
        message.AddFlag(VxlanAttribute.GroupPolicy);
        message.AddByte(VxlanAttribute.UdpZeroChecksum6Tx, 1); // inner packets have their own checksums (RFC 6935)
        message.AddByte(VxlanAttribute.UdpZeroChecksum6Rx, 1);
        message.AddPort(VxlanAttribute.Port, device.UdpPort);
        message.Add(VxlanAttribute.PortRange, [0xC0, 0x00, 0xFF, 0xFF]); // 49152 to 65535: RFC 7348 §5
        message.Close(data);
        message.Close(info);
        Demand(message, $"create vxlan {device.Name} on UDP port {device.UdpPort}");
    }

    /// <summary>Makes an interface of a kind that needs no more words, such as <c>bridge</c>.</summary>
    /// <exception cref="KernelException">Refused; <c>EOPNOTSUPP</c> if the kernel lacks the kind.</exception>
    public void CreateLink(string name, string kind)
    {
        NetlinkMessage message = NewLink(0, NetlinkFlags.Create | NetlinkFlags.Exclusive);
        message.AddText(LinkAttribute.Name, name);
        int info = message.Open(LinkAttribute.Info);
        message.AddText(LinkAttribute.InfoKind, kind);
        message.Close(info);
        Demand(message, $"create {kind} {name}");
    }

    /// <summary>Sets what <paramref name="settings"/> names; a namespace moves the interface last of all.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public void SetLink(int ifindex, LinkSettings settings)
    {
        LinkHeader header = new() { Ifindex = ifindex };
        if (settings.IsUp is { } isUp) Set(ref header, LinkHeader.FlagUp, isUp);
        if (settings.IsPromiscuous is { } isPromiscuous) Set(ref header, LinkHeader.FlagPromiscuous, isPromiscuous);
        NetlinkMessage message = new(NetlinkType.NewLink, NetlinkFlags.None, FixedPart.Of(header));
        if (settings.MtuOctets is { } mtu) message.AddUInt32(LinkAttribute.Mtu, (uint)mtu);
        if (settings.Mac is { } mac) Add(message, LinkAttribute.Address, mac);
        if (settings.Name is { } name) message.AddText(LinkAttribute.Name, name);
        if (settings.MasterIfindex is { } master) message.AddUInt32(LinkAttribute.Master, (uint)master);
        if (settings.Namespace is { } target) message.AddUInt32(LinkAttribute.NamespaceFd, (uint)target.FdValue);
        Demand(message, $"set interface {ifindex}: {settings}");
        GC.KeepAlive(settings.Namespace);
    }

    /// <summary>Removes an interface, and a veth's other end with it.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="KernelException">Refused.</exception>
    public bool DeleteLink(int ifindex)
    {
        LinkHeader header = new() { Ifindex = ifindex };
        NetlinkMessage message = new(NetlinkType.DelLink, NetlinkFlags.None, FixedPart.Of(header));
        return Remove(message, $"delete interface {ifindex}");
    }

    /// <summary>Finds an interface by name, or returns null.</summary>
    /// <exception cref="KernelException">Refused for another reason.</exception>
    public LinkInfo? FindLink(string name)
    {
        if (name.Length is 0 or > LinkNameLengthMax) return null;
        NetlinkMessage message = new(NetlinkType.GetLink, NetlinkFlags.None, FixedPart.Of(default(LinkHeader)));
        message.AddText(LinkAttribute.Name, name);
        return FindLink(message, name);
    }

    /// <summary>Finds an interface by number, or returns null.</summary>
    /// <exception cref="KernelException">Refused for another reason.</exception>
    public LinkInfo? FindLink(int ifindex)
    {
        LinkHeader header = new() { Ifindex = ifindex };
        NetlinkMessage message = new(NetlinkType.GetLink, NetlinkFlags.None, FixedPart.Of(header));
        return FindLink(message, $"interface {ifindex}");
    }

    /// <summary>All interfaces of the namespace.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public IReadOnlyList<LinkInfo> ListLinks()
    {
        List<LinkInfo> links = [];
        NetlinkMessage message = new(NetlinkType.GetLink, NetlinkFlags.Dump, FixedPart.Of(default(LinkHeader)));
        Dump(message, Read, "list interfaces");
        return links;

        void Read(NetlinkType type, ReadOnlySpan<byte> body)
        {
            if (TryDecodeLink(body) is { } link) links.Add(link);
        }
    }

    /// <summary>
    /// Reads the body of RTM_NEWLINK or RTM_DELLINK; null if it is too short or no link's own (a bridge port's).
    /// </summary>
    internal static LinkInfo? TryDecodeLink(ReadOnlySpan<byte> body)
    {
        if (!FixedPart.TrySplit(body, out LinkHeader header, out NetlinkAttributes attributes)) return null;
        if (header.Family != 0) return null;
        (string name, string kind, MacAddress mac, uint mtu, uint peer) = ("", "", default, 0, 0);
        bool isPeerElsewhere = false;
        (ushort, ushort) sourcePorts = default;
        while (attributes.TryNext())
        {
            switch (attributes.Type)
            {
                case LinkAttribute.Name: name = attributes.Text; break;
                case LinkAttribute.Mtu: mtu = attributes.UInt32; break;
                case LinkAttribute.Link: peer = attributes.UInt32; break;
                case LinkAttribute.PeerNamespaceId: isPeerElsewhere = true; break;
                case LinkAttribute.Info: (kind, sourcePorts) = KindOf(attributes.Value); break;
                case LinkAttribute.Address when attributes.Value.Length == MacAddress.Size:
                    mac = MacAddress.FromOctets(attributes.Value);
                    break;
            }
        }
        return new LinkInfo(
            header.Ifindex, name, kind, mac, (int)mtu, (header.Flags & LinkHeader.FlagUp) != 0,
            (header.Flags & LinkHeader.FlagRunning) != 0, (int)peer, isPeerElsewhere)
        {
            IsEthernet = header.Type == LinkHeader.TypeEthernet,
            SourcePorts = sourcePorts,
        };
    }

    private static void Set(ref LinkHeader header, uint flag, bool isOn)
    {
        header.Change |= flag;
        if (isOn) header.Flags |= flag;
    }

    private static (string Kind, (ushort First, ushort Last) SourcePorts) KindOf(ReadOnlySpan<byte> info)
    {
        (string kind, ushort first, ushort last) = ("", 0, 0);
        NetlinkAttributes attributes = new(info);
        while (attributes.TryNext())
        {
            if (attributes.Type == LinkAttribute.InfoKind) kind = attributes.Text;
            if (attributes.Type != LinkAttribute.InfoData || kind != "vxlan") continue; // the kind comes first
            NetlinkAttributes data = new(attributes.Value);
            while (data.TryNext())
            {
                if (data.Type != VxlanAttribute.PortRange || data.Value.Length != 2 * sizeof(ushort)) continue;
                first = BinaryPrimitives.ReadUInt16BigEndian(data.Value);
                last = BinaryPrimitives.ReadUInt16BigEndian(data.Value[sizeof(ushort)..]);
            }
        }

        return (kind, (first, last));
    }

    private static NetlinkMessage NewLink(int ifindex, NetlinkFlags flags)
    {
        LinkHeader header = new() { Ifindex = ifindex };
        return new NetlinkMessage(NetlinkType.NewLink, flags, FixedPart.Of(header));
    }

    private static void Describe(NetlinkMessage message, VethEnd end)
    {
        message.AddText(LinkAttribute.Name, end.Name);
        if (end.Mac is { } mac) Add(message, LinkAttribute.Address, mac);
        if (end.MtuOctets is { } mtu) message.AddUInt32(LinkAttribute.Mtu, (uint)mtu);
        if (end.Namespace is { } target) message.AddUInt32(LinkAttribute.NamespaceFd, (uint)target.FdValue);
    }

    private LinkInfo? FindLink(NetlinkMessage message, string what)
    {
        LinkInfo? found = null;
        Errno error = _socket.Request(message, dump: false, Read, out string explanation);
        return error switch
        {
            Errno.None => found,
            Errno.ENODEV => null,
            _ => throw new KernelException($"netlink: find {what}", error, explanation),
        };

        void Read(NetlinkType type, ReadOnlySpan<byte> body) => found = TryDecodeLink(body);
    }
}
