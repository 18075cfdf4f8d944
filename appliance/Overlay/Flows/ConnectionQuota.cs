using System;
using System.Threading;
using Genkan.Overlay.Simulation;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Shares of the connection tables: a tenant's port may open so many connections, an address so many from the outside,
/// so that one machine that opens connections as fast as it can leaves room for all others. Workers take; the sweep,
/// which has them stand still, counts anew.
/// </summary>
/// <remarks>
/// Counted are the entries of originators; the answers' entries come along. An install counts at once; the sweep counts
/// anew what is there, and installs during its pass count on top, since it may have met them or not.
/// </remarks>
internal sealed class ConnectionQuota(IDatapath datapath)
{
    // Ports by their slot, then destinations of what comes from the outside by hash; each for IPv4 and for IPv6.
    private const int Accounts = 2 * FlowLimits.PortSlots;

    private readonly int[] _taken = new int[2 * Accounts];
    private readonly int[] _seen = new int[2 * Accounts];
    private readonly int[] _takenInPass = new int[2 * Accounts];

    /// <summary>Takes room for a connection's originator.</summary>
    /// <param name="key">Key of its entry.</param>
    /// <returns>False if the share is used up.</returns>
    public bool TryTake(in FlowKey key)
    {
        int account = AccountOf(key);
        int max = Math.Max(1, datapath.ConnectionsMaxOf(key.Source.IsIpv4) / FlowLimits.ConnectionShare);
        if (Interlocked.Increment(ref _taken[account]) > max)
        {
            Interlocked.Decrement(ref _taken[account]);
            return false;
        }

        Interlocked.Increment(ref _takenInPass[account]);
        return true;
    }

    /// <summary>A pass of the sweep begins.</summary>
    public void BeginPass()
    {
        Array.Clear(_seen);
        Array.Clear(_takenInPass);
    }

    /// <summary>The pass met an entry that stays.</summary>
    public void See(in FlowEntry entry)
    {
        if (entry.Action.Verdict == FlowVerdict.Forward && entry.Action.State != ConnectionState.Reply)
            _seen[AccountOf(entry.Key)]++;
    }

    /// <summary>The pass is over.</summary>
    public void EndPass()
    {
        for (int i = 0; i < _taken.Length; i++) _taken[i] = _seen[i] + _takenInPass[i];
    }

    private int AccountOf(in FlowKey key)
    {
        int family = key.Source.IsIpv4 ? 0 : Accounts;
        bool isOutside = datapath.TryGetPort(key.KeyPort, out DatapathPort port)
            && port is { IsL3: true, Kind: IngressKind.Port };
        if (!isOutside) return family + (int)(key.KeyPort % FlowLimits.PortSlots);
        UInt128 address = key.Destination.Value;
        ulong hash = ((ulong)address ^ (ulong)(address >> 64)) * 0x9e3779b97f4a7c15;
        return family + FlowLimits.PortSlots + (int)((hash >> 32) % FlowLimits.PortSlots);
    }
}
