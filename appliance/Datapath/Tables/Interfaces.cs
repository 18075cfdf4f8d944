using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>A network interface as the tables need it.</summary>
/// <param name="Ifindex">The kernel's number.</param>
/// <param name="IsPeer">A veth whose other end is in another namespace.</param>
/// <param name="Mac">Its MAC.</param>
/// <param name="Mtu">Its MTU in octets.</param>
internal readonly record struct InterfaceState(uint Ifindex, bool IsPeer, MacAddress Mac, uint Mtu);

/// <summary>The interfaces of this namespace by name.</summary>
internal interface IInterfaces
{
    /// <summary>Finds an interface.</summary>
    bool TryGet(string name, out InterfaceState state);
}

/// <summary>The veth pair that stands for the router at an uplink.</summary>
/// <param name="HostIfindex">End with the addresses, which the FIB names.</param>
/// <param name="WireIfindex">Other end, where the host's own packets come out.</param>
/// <param name="Mac">MAC of the host end: ours on the wire.</param>
internal readonly record struct UplinkDevice(uint HostIfindex, uint WireIfindex, MacAddress Mac);
