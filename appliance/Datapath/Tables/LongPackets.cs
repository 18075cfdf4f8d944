using System;
using System.Threading;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>
/// The length up to which a packet fits every way out (<c>settings.mtu_always</c>), so that the programs need not ask
/// how much its own takes: the least of all networks, of the interfaces of this host's ports and of the paths to other
/// hosts. Any thread may follow a change.
/// </summary>
internal sealed class LongPackets(KernelTables tables)
{
    /// <summary>MTU_ALWAYS: with no narrower way the programs' own number holds, which is this.</summary>
    internal const uint OctetsMax = 1280;

    private readonly Lock _writing = new();
    private uint _ofPlan = OctetsMax;

    /// <summary>Follows what paths are known to carry.</summary>
    /// <param name="tunnelMtu">Octets of the longest packet that all of them carry.</param>
    internal void Follow(uint tunnelMtu)
    {
        lock (_writing)
        {
            uint least = Math.Min(_ofPlan, tunnelMtu);
            tables.Settings.MtuAlways = least < OctetsMax ? (ushort)least : (ushort)0;
        }
    }

    /// <summary>Follows a plan, and what paths are known to carry.</summary>
    internal void Follow(uint tunnelMtu, HostPlan plan, IInterfaces interfaces)
    {
        uint least = OctetsMax;
        foreach (Bridge bridge in plan.Topology.Parts.Bridges) least = Math.Min(least, (uint)bridge.Mtu);
        foreach (PlannedPort port in plan.Ports)
        {
            if (interfaces.TryGet(port.Interface, out InterfaceState state)) least = Math.Min(least, state.Mtu);
        }

        lock (_writing) _ofPlan = least;
        Follow(tunnelMtu);
    }
}
