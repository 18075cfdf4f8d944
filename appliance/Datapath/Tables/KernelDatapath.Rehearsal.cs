using Genkan.Datapath.Native;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <content>A data plane without interfaces, for <see cref="DatapathRehearsal"/>.</content>
public sealed partial class KernelDatapath
{
    /// <summary>Rows of a topology in tables of their own, with no host lock, no device and no interface to send on:
    /// the kernel takes frames of such a socket, and refuses each (ENXIO).</summary>
    /// <exception cref="KernelException">The kernel refused a call.</exception>
    internal static KernelDatapath ForRehearsal(TopologySnapshot topology)
    {
        KernelTables tables = KernelTables.ForRehearsal();
        HostDevices? devices = null;
        try
        {
            devices = new HostDevices(); // knows of no interface before it looks
            KernelDatapathOptions options = new()
            {
                HostName = topology.LocalHost.Name,
                UnderlayAddress = topology.LocalHost.UnderlayAddress,
                RingOctets = (uint)System.Environment.SystemPageSize, // nothing is written there
            };
            KernelDatapath datapath = new(options, hostLock: null, devices, tables, sendIfindex: 0);
            datapath.WriteRows(new HostPlan(topology));
            return datapath;
        }
        catch
        {
            devices?.Dispose();
            tables.Dispose();
            throw;
        }
    }

    private void WriteRows(HostPlan plan)
    {
        _plan = plan;
        _budgets.Begin();
        _ports.Allocate(plan, static _ => { }, static _ => { });
        _ports.Write(plan, _devices, _uplinks.Devices);
        _nextHops.Apply(plan);
        _budgets.Commit();
    }
}
