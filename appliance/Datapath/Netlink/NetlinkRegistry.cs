using System;

namespace Genkan.Datapath.Netlink;

/// <summary>nlmsg_type: of netlink itself and of rtnetlink (linux/rtnetlink.h).</summary>
internal enum NetlinkType : ushort
{
    Error = 2,
    Done = 3,
    NewLink = 16,
    DelLink = 17,
    GetLink = 18,
    NewAddress = 20,
    DelAddress = 21,
    GetAddress = 22,
    NewRoute = 24,
    DelRoute = 25,
    GetRoute = 26,
    NewNeighbour = 28,
    DelNeighbour = 29,
    GetNeighbour = 30,
    NewQdisc = 36,
    DelQdisc = 37,
    NewFilter = 44,
    DelFilter = 45,
    GetFilter = 46,
}

/// <summary>nlmsg_flags (NLM_F_*).</summary>
[Flags]
internal enum NetlinkFlags : ushort
{
    None = 0,
    Request = 1,
    Ack = 4,
    Replace = 0x100,
    Exclusive = 0x200,
    Create = 0x400,
    Dump = 0x300,
}

/// <summary>XFRM_MSG_* and attributes of NETLINK_XFRM (linux/xfrm.h); its numbers mean other things in
/// rtnetlink.</summary>
internal static class XfrmRegistry
{
    internal const NetlinkType GetPolicyInfo = (NetlinkType)0x25;
    internal const int PolicyInfoAttribute = 1;
    internal const int GroupPolicy = 4;
}

/// <summary>IFLA_*, and those inside IFLA_LINKINFO.</summary>
internal static class LinkAttribute
{
    internal const int Address = 1;
    internal const int Name = 3;
    internal const int Mtu = 4;
    internal const int Link = 5;
    internal const int Master = 10;
    internal const int OperState = 16;
    internal const int Info = 18;
    internal const int NamespaceFd = 28;
    internal const int TxQueueCount = 31;
    internal const int RxQueueCount = 32;
    internal const int Carrier = 33;
    internal const int PeerNamespaceId = 37;
    internal const int InfoKind = 1;
    internal const int InfoData = 2;
    internal const int VethPeer = 1;
}

/// <summary>IFLA_VXLAN_*.</summary>
internal static class VxlanAttribute
{
    internal const int Learning = 7;
    internal const int PortRange = 10;
    internal const int Port = 15;
    internal const int UdpZeroChecksum6Tx = 19;
    internal const int UdpZeroChecksum6Rx = 20;
    internal const int GroupPolicy = 23;
    internal const int CollectMetadata = 25;
}

/// <summary>IFA_*.</summary>
internal static class AddressAttribute
{
    internal const int Address = 1;
    internal const int Local = 2;
    internal const int Broadcast = 4;
    internal const int Flags = 8;
    internal const uint FlagNoDad = 2;
}

/// <summary>RTA_*.</summary>
internal static class RouteAttribute
{
    internal const int Destination = 1;
    internal const int OutInterface = 4;
    internal const int Gateway = 5;
    internal const int Priority = 6;
    internal const int PreferredSource = 7;
    internal const int Table = 15;
    internal const int Via = 18;
}

/// <summary>NDA_*.</summary>
internal static class NeighbourAttribute
{
    internal const int Destination = 1;
    internal const int LinkLayerAddress = 2;
}

/// <summary>TCA_* and TCA_BPF_*.</summary>
internal static class TrafficControlAttribute
{
    internal const int Kind = 1;
    internal const int Options = 2;
    internal const int BpfFd = 6;
    internal const int BpfName = 7;
    internal const int BpfFlags = 8;
    internal const int BpfId = 11;
    internal const uint BpfFlagDirectAction = 1;
}
