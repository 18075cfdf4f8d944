using System;
using System.Collections.Generic;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Shares of the connection tables: a tenant's port may open so many connections, a tenant so many, an address so many
/// from the outside, so that one machine that opens connections as fast as it can leaves room for all others. What
/// deliveries from other hosts make for the answers of a port has a share of its own: whoever is attacked can still
/// open connections. Workers take; the sweep, which has them stand still, counts anew.
/// </summary>
/// <remarks>
/// Counted are the entries of originators, under the port where they enter; the answers' entries on the same host come
/// along. Entries that deliveries make are counted by the kernel's programs, which get a credit after each pass.
/// </remarks>
public sealed class ConnectionQuota
{
    // Ports by their slot, then destinations of what comes from the outside by hash; each for IPv4 and for IPv6.
    private const int Accounts = 2 * FlowLimits.PortSlots;

    private readonly IDatapath _datapath;
    private readonly ShareCounts _originated = new(2 * Accounts);
    private readonly ShareCounts _answers = new(2 * FlowLimits.PortSlots);
    private readonly ShareCounts _byTenant = new(2 * FlowLimits.PortSlots);
    private readonly ShareCounts _negatives = new(FlowLimits.PortSlots + 1); // each port's, then all
    private readonly Dictionary<string, int> _tenants = new(StringComparer.Ordinal);
    private readonly int[] _tenantOf = new int[FlowLimits.PortSlots];

    /// <summary>Takes all memory, and grants deliveries their credit.</summary>
    /// <param name="datapath">The kernel's tables.</param>
    public ConnectionQuota(IDatapath datapath)
    {
        _datapath = datapath;
        Array.Fill(_tenantOf, -1);
        GrantCredits();
    }

    /// <summary>Takes the owners of ports from a topology. Call it after the datapath took it.</summary>
    public void Apply(TopologySnapshot topology)
    {
        Array.Fill(_tenantOf, -1);
        foreach (VirtualPort port in topology.LocalPorts)
        {
            if (port.Tenant.Length == 0 || port.Role == PortRole.Uplink) continue;
            if (!_datapath.TryGetSlot(port.Id, out uint slot)) continue;
            if (!_tenants.TryGetValue(port.Tenant, out int tenant))
                _tenants.Add(port.Tenant, tenant = _tenants.Count % FlowLimits.PortSlots);
            _tenantOf[slot % FlowLimits.PortSlots] = tenant;
        }
    }

    /// <summary>Takes room for a connection's originator.</summary>
    /// <param name="key">Key of its entry.</param>
    /// <returns>False if the share of its port, tenant or address is used up.</returns>
    public bool TryTake(in FlowKey key)
    {
        int account = AccountOf(key);
        if (!_originated.TryTake(account, ShareOf(key, FlowLimits.ConnectionShare))) return false;
        int tenant = TenantOf(key);
        if (tenant < 0 || _byTenant.TryTake(tenant, ShareOf(key, FlowLimits.TenantShare))) return true;
        _originated.GiveBack(account);
        return false;
    }

    /// <summary>Takes room for a drop verdict.</summary>
    /// <param name="key">Key of its entry.</param>
    /// <returns>False if the port's share or that of all is used up.</returns>
    public bool TryTakeNegative(in FlowKey key)
    {
        int port = (int)(key.KeyPort % FlowLimits.PortSlots);
        if (!_negatives.TryTake(port, FlowLimits.NegativeEntriesPerPort)) return false;
        if (_negatives.TryTake(FlowLimits.PortSlots, FlowLimits.NegativeEntriesMax)) return true;
        _negatives.GiveBack(port);
        return false;
    }

    /// <summary>Gives the room of a drop verdict back that was not added.</summary>
    /// <param name="key">Its key.</param>
    public void GiveBackNegative(in FlowKey key)
    {
        _negatives.GiveBack((int)(key.KeyPort % FlowLimits.PortSlots));
        _negatives.GiveBack(FlowLimits.PortSlots);
    }

    /// <summary>Whether an entry's share is more than half used: then what nobody answers goes early.</summary>
    public bool IsScarce(in FlowEntry entry) => entry.Action.State == ConnectionState.Reply
        ? _answers.Of(AnswersOf(entry.Key)) > ShareOf(entry.Key, FlowLimits.AnswerShare) / 2
        : _originated.Of(AccountOf(entry.Key)) > ShareOf(entry.Key, FlowLimits.ConnectionShare) / 2;

    /// <summary>A pass of the sweep begins.</summary>
    public void BeginPass()
    {
        foreach (ShareCounts counts in (ReadOnlySpan<ShareCounts>)[_originated, _answers, _byTenant, _negatives])
            counts.BeginPass();
    }

    /// <summary>The pass met an entry that stays.</summary>
    public void See(in FlowEntry entry)
    {
        if (FlowTimeouts.IsNegative(entry))
        {
            _negatives.See((int)(entry.Key.KeyPort % FlowLimits.PortSlots));
            _negatives.See(FlowLimits.PortSlots);
        }
        else if (entry.Action.State == ConnectionState.Reply)
        {
            _answers.See(AnswersOf(entry.Key));
        }
        else if (entry.Action.Verdict == FlowVerdict.Forward)
        {
            _originated.See(AccountOf(entry.Key));
            int tenant = TenantOf(entry.Key);
            if (tenant >= 0) _byTenant.See(tenant);
        }
    }

    /// <summary>The pass is over.</summary>
    public void EndPass()
    {
        foreach (ShareCounts counts in (ReadOnlySpan<ShareCounts>)[_originated, _answers, _byTenant, _negatives])
            counts.EndPass();
        GrantCredits();
    }

    private void GrantCredits()
    {
        for (uint slot = 1; slot < FlowLimits.PortSlots; slot++)
        {
            Grant(slot, isIpv4: true);
            Grant(slot, isIpv4: false);
        }
    }

    private void Grant(uint slot, bool isIpv4)
    {
        int seen = _answers.SeenOf((isIpv4 ? 0 : FlowLimits.PortSlots) + (int)slot);
        int room = (_datapath.ConnectionsMaxOf(isIpv4) / FlowLimits.AnswerShare) - seen;
        _datapath.CreditFlows(slot, isIpv4, Math.Max(0, room));
    }

    private int ShareOf(in FlowKey key, int share) =>
        Math.Max(1, _datapath.ConnectionsMaxOf(key.Source.IsIpv4) / share);

    private static int AnswersOf(in FlowKey key) =>
        (key.Source.IsIpv4 ? 0 : FlowLimits.PortSlots) + (int)(key.KeyPort % FlowLimits.PortSlots);

    private int TenantOf(in FlowKey key)
    {
        int tenant = _tenantOf[key.KeyPort % FlowLimits.PortSlots];
        return tenant < 0 || key.Source.IsIpv4 ? tenant : tenant + FlowLimits.PortSlots;
    }

    private int AccountOf(in FlowKey key)
    {
        int family = key.Source.IsIpv4 ? 0 : Accounts;
        bool isOutside = _datapath.TryGetPort(key.KeyPort, out DatapathPort port)
            && port is { IsL3: true, Kind: IngressKind.Port };
        if (!isOutside) return family + (int)(key.KeyPort % FlowLimits.PortSlots);
        UInt128 address = key.Destination.Value;
        ulong hash = ((ulong)address ^ (ulong)(address >> 64)) * 0x9e3779b97f4a7c15;
        return family + FlowLimits.PortSlots + (int)((hash >> 32) % FlowLimits.PortSlots);
    }
}
