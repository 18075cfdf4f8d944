using System;
using System.Collections.Generic;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>Entries of one family's connection table (a connection within the host has two), and how many of them
/// there may be.</summary>
/// <param name="Flows">Entries, as counted last.</param>
/// <param name="FlowsMax">At most, as much as is free now: it shrinks while others open some, to 1. 0 only where there
/// is no quota.</param>
public readonly record struct QuotaUse(int Flows, int FlowsMax);

/// <summary>The same of both families: each has a table of its own, and room in one is none in the other.</summary>
/// <param name="Ipv4">Of IPv4.</param>
/// <param name="Ipv6">Of IPv6.</param>
public readonly record struct QuotaUses(QuotaUse Ipv4, QuotaUse Ipv6);

/// <summary>
/// Shares of the connection tables: a port may hold as many entries as are free, a tenant twice as many, so that nobody
/// who opens connections as fast as it can fills a table, nor several of them together: what is left for the next one
/// shrinks with each, and never ends (the dynamic thresholds of Choudhury and Hahne). What deliveries from other hosts
/// make for the answers of a port has a share of its own: whoever is attacked can still open connections. Workers take;
/// the sweep, which has them stand still, counts anew.
/// </summary>
/// <remarks>
/// An originator's port and tenant pay for the answer's entry too, if it is on this host. Entries that deliveries make
/// are counted by the kernel's programs, which get a credit after each pass: for each port, and for all of them as if
/// they were one tenant's.
/// </remarks>
public sealed class ConnectionQuota
{
    // Ports by their slot, then destinations of what comes from the outside by hash; each for IPv4 and for IPv6.
    private const int Accounts = 2 * FlowLimits.PortSlots;

    // What is no tenant's: from outside by uplinks, and from other hosts or external segments.
    private const int Outside = FlowLimits.PortSlots - 1;
    private const int Elsewhere = FlowLimits.PortSlots - 2;

    private readonly IDatapath _datapath;
    private readonly ShareCounts _used = new(2); // entries of a table, whoever has them
    private readonly ShareCounts _originated = new(2 * Accounts);
    private readonly ShareCounts _answers = new(2 * FlowLimits.PortSlots);
    private readonly ShareCounts _byTenant = new(2 * FlowLimits.PortSlots);
    private readonly ShareCounts _negatives = new(FlowLimits.PortSlots + 1); // each port's, then all
    private readonly Dictionary<string, int> _tenants = new(StringComparer.Ordinal);
    private readonly int[] _tenantOf = new int[FlowLimits.PortSlots];
    private readonly ShareCounts[] _all;
    private readonly uint[] _deliveredBefore = new uint[2];
    private readonly int[] _deliveredThere = new int[2]; // entries that deliveries made, as this pass has met them
    private readonly int[] _delivered = new int[2]; // the same after the last whole pass
    private readonly int[] _reserved = new int[2]; // made since the pass began, and what credit lets in
    private TopologySnapshot? _topology;

    /// <summary>Takes all memory, and grants deliveries their credit.</summary>
    /// <param name="datapath">The kernel's tables.</param>
    public ConnectionQuota(IDatapath datapath)
    {
        _datapath = datapath;
        _all = [_used, _originated, _answers, _byTenant, _negatives];
        Array.Fill(_tenantOf, Elsewhere);
        GrantCredits();
    }

    /// <summary>Takes the owners of ports from a topology. Call it after the datapath took it.</summary>
    public void Apply(TopologySnapshot topology)
    {
        _topology = topology;
        Array.Fill(_tenantOf, Elsewhere);
        foreach (VirtualPort port in topology.LocalPorts)
        {
            if (port.Tenant.Length == 0 || port.Role == PortRole.Uplink) continue;
            if (!_datapath.TryGetSlot(port.Id, out uint slot)) continue;
            if (!_tenants.TryGetValue(port.Tenant, out int tenant))
                _tenants.Add(port.Tenant, tenant = _tenants.Count % Elsewhere);
            _tenantOf[slot % FlowLimits.PortSlots] = tenant;
        }
    }

    /// <summary>Takes room for a connection's originator. Whoever has nothing may always try one: whether there is room
    /// is then the kernel's to say.</summary>
    /// <param name="key">Key of its entry.</param>
    /// <param name="count">Entries: 2 with the answer's, else 1.</param>
    /// <returns>False if the share of its port, tenant or address is used up.</returns>
    public bool TryTake(in FlowKey key, int count)
    {
        (int table, int account, int tenant) = AccountsOf(key);
        int free = FreeOf(table);
        if (!_originated.TryTake(account, Math.Max(count, free * FlowLimits.PortPerFree), count)) return false;

        // Addresses that many connect to must not close the door to all others.
        bool isFew = tenant % FlowLimits.PortSlots == Outside
            && _originated.Of(account) <= free / FlowLimits.FreePerFew;
        int max = isFew ? int.MaxValue : Math.Max(count, free * FlowLimits.TenantPerFree);
        if (_byTenant.TryTake(tenant, max, count))
        {
            _used.TryTake(table, int.MaxValue, count);
            return true;
        }

        _originated.GiveBack(account, count);
        return false;
    }

    /// <summary>Gives room back that was taken, but for which nothing was added.</summary>
    /// <param name="key">Key of the originator's entry.</param>
    /// <param name="count">Entries.</param>
    public void GiveBack(in FlowKey key, int count)
    {
        (int table, int account, int tenant) = AccountsOf(key);
        _originated.GiveBack(account, count);
        _byTenant.GiveBack(tenant, count);
        _used.GiveBack(table, count);
    }

    /// <summary>Takes room for a drop verdict.</summary>
    /// <param name="key">Key of its entry.</param>
    /// <returns>False if the port's share or that of all is used up.</returns>
    public bool TryTakeNegative(in FlowKey key)
    {
        int max = Math.Min(_datapath.ConnectionsMaxOf(isIpv4: true), _datapath.ConnectionsMaxOf(isIpv4: false))
            / FlowLimits.NegativeShare;
        int port = (int)(key.KeyPort % FlowLimits.PortSlots);
        if (!_negatives.TryTake(port, Math.Min(FlowLimits.NegativeEntriesPerPort, max / 4))) return false;
        if (_negatives.TryTake(FlowLimits.PortSlots, Math.Min(FlowLimits.NegativeEntriesMax, max)))
        {
            _used.TryTake(TableOf(key), int.MaxValue);
            return true;
        }

        _negatives.GiveBack(port);
        return false;
    }

    /// <summary>Gives the room of a drop verdict back that was not added.</summary>
    /// <param name="key">Its key.</param>
    public void GiveBackNegative(in FlowKey key)
    {
        _negatives.GiveBack((int)(key.KeyPort % FlowLimits.PortSlots));
        _negatives.GiveBack(FlowLimits.PortSlots);
        _used.GiveBack(TableOf(key));
    }

    /// <summary>What the connections that a port opened take of its share.</summary>
    /// <param name="slot">Its slot.</param>
    public QuotaUses OfPort(uint slot) => OfAccount((int)slot);

    /// <summary>Entries of a port's answers: others, here or on other hosts, opened connections to it. Both families
    /// together, as the last pass met them.</summary>
    /// <param name="slot">Its slot.</param>
    public int AnswersOfPort(uint slot) => _answers.Of((int)slot) + _answers.Of((int)slot + FlowLimits.PortSlots);

    /// <summary>What the connections that a tenant opened take of its share.</summary>
    /// <param name="tenant">Its name.</param>
    public QuotaUses OfTenant(string tenant) => _tenants.TryGetValue(tenant, out int account)
        ? OfMany(account)
        : new QuotaUses(UseOf(0, 0, FlowLimits.TenantPerFree), UseOf(1, 0, FlowLimits.TenantPerFree));

    /// <summary>What was opened from the outside to an address of its share; addresses whose hash is the same share
    /// one.</summary>
    public QuotaUses OfAddress(IpAddress address) => OfAccount(AccountOf(address));

    /// <summary>What was opened from the outside, to all addresses, of the share of all that.</summary>
    public QuotaUses OfOutside() => OfMany(Outside);

    /// <summary>What other hosts' deliveries made for answers of ports here, of the share of all that, as the last
    /// pass met it.</summary>
    public QuotaUses OfDeliveries() => new(
        UseOf(0, _delivered[0], FlowLimits.TenantPerFree), UseOf(1, _delivered[1], FlowLimits.TenantPerFree));

    /// <summary>Whether an entry's share is more than half used: then what nobody answers goes early.</summary>
    public bool IsScarce(in FlowEntry entry)
    {
        (int table, int account, int tenant) = AccountsOf(entry.Key);
        int free = FreeOf(table);
        if (entry.Action.State == ConnectionState.Reply)
            return _answers.Of(AnswersOf(entry.Key)) > AnswersMaxOf(table, free) / 2;
        return _originated.Of(account) > free * FlowLimits.PortPerFree / 2
            || _byTenant.Of(tenant) > free * FlowLimits.TenantPerFree / 2;
    }

    /// <summary>A pass of the sweep begins.</summary>
    public void BeginPass()
    {
        foreach (ShareCounts counts in _all) counts.BeginPass();
        for (int table = 0; table < 2; table++)
            (_deliveredBefore[table], _deliveredThere[table]) = (_datapath.FlowsDelivered(table == 0), 0);
    }

    /// <summary>The pass met an entry that stays.</summary>
    public void See(in FlowEntry entry)
    {
        _used.See(TableOf(entry.Key));
        if (FlowTimeouts.IsNegative(entry))
        {
            _negatives.See((int)(entry.Key.KeyPort % FlowLimits.PortSlots));
            _negatives.See(FlowLimits.PortSlots);
        }
        else if (entry.Action.State == ConnectionState.Reply)
        {
            _answers.See(AnswersOf(entry.Key));
            if (IsDelivered(entry)) _deliveredThere[TableOf(entry.Key)]++;
        }
        else if (entry.Action.Verdict == FlowVerdict.Forward)
        {
            (_, int account, int tenant) = AccountsOf(entry.Key);
            int count = _topology is not null && FlowTwin.IsHere(_topology, _datapath, entry) ? 2 : 1;
            _originated.See(account, count);
            _byTenant.See(tenant, count);
        }
    }

    /// <summary>The pass is over.</summary>
    public void EndPass()
    {
        foreach (ShareCounts counts in _all) counts.EndPass();
        GrantCredits();
    }

    private void GrantCredits()
    {
        for (int table = 0; table < 2; table++)
        {
            int all = GrantAll(table);
            for (uint slot = 1; slot < FlowLimits.PortSlots; slot++) Grant(slot, table, all);
        }
    }

    // What it lets in takes from what is free: after that, twice as much of it as is free may be there.
    private int GrantAll(int table)
    {
        int made = (int)(_datapath.FlowsDelivered(table == 0) - _deliveredBefore[table]); // met by the pass, or not
        int free = Math.Max(0, _datapath.ConnectionsMaxOf(table == 0) - _used.Of(table) - made);
        int there = _deliveredThere[table] + made;
        _delivered[table] = there;
        int share = ((free * FlowLimits.TenantPerFree) - there) / (FlowLimits.TenantPerFree + 1);
        int credit = Math.Clamp(share, 0, free / FlowLimits.DeliveriesPerPass);
        _datapath.CreditFlows(0, table == 0, credit);
        _reserved[table] = made + credit;
        return credit;
    }

    // The originator is elsewhere: its answers leave this host, or none has come yet.
    private bool IsDelivered(in FlowEntry entry)
    {
        if (entry.Action.Verdict != FlowVerdict.Forward || _topology is null) return true;
        if (!_datapath.TryGetNextHop(entry.Action.NextHop, out Egress egress)) return true;
        return egress.Kind == EgressKind.Port
            ? !_datapath.TryGetSlot(egress.Object, out _)
            : egress.Host != _topology.LocalHost.Id;
    }

    private void Grant(uint slot, int table, int all)
    {
        int seen = _answers.SeenOf((table * FlowLimits.PortSlots) + (int)slot);
        int max = _datapath.ConnectionsMaxOf(table == 0) / FlowLimits.AnswerShare;
        _datapath.CreditFlows(slot, table == 0, Math.Clamp(max - seen, 0, all));
    }

    private int FreeOf(int table) =>
        Math.Max(0, _datapath.ConnectionsMaxOf(table == 0) - _used.Of(table) - _reserved[table]);

    private int AnswersMaxOf(int table, int free) =>
        Math.Min(_datapath.ConnectionsMaxOf(table == 0) / FlowLimits.AnswerShare, free);

    private static int TableOf(in FlowKey key) => key.Source.IsIpv4 ? 0 : 1;

    private static int AnswersOf(in FlowKey key) =>
        (TableOf(key) * FlowLimits.PortSlots) + (int)(key.KeyPort % FlowLimits.PortSlots);

    private (int Table, int Account, int Tenant) AccountsOf(in FlowKey key)
    {
        int table = TableOf(key);
        int slot = (int)(key.KeyPort % FlowLimits.PortSlots);
        bool isOutside = _datapath.TryGetPort(key.KeyPort, out DatapathPort port)
            && port is { IsL3: true, Kind: IngressKind.Port };
        int tenant = (table * FlowLimits.PortSlots) + (isOutside ? Outside : _tenantOf[slot]);
        int account = isOutside ? AccountOf(key.Destination) : slot;
        return (table, (table * Accounts) + account, tenant);
    }

    private static int AccountOf(IpAddress destination)
    {
        UInt128 address = destination.Value;
        ulong hash = ((ulong)address ^ (ulong)(address >> 64)) * 0x9e3779b97f4a7c15;
        return FlowLimits.PortSlots + (int)((hash >> 32) % FlowLimits.PortSlots);
    }

    private QuotaUses OfAccount(int account) => new(
        UseOf(0, _originated.Of(account), FlowLimits.PortPerFree),
        UseOf(1, _originated.Of(account + Accounts), FlowLimits.PortPerFree));

    private QuotaUses OfMany(int account) => new(
        UseOf(0, _byTenant.Of(account), FlowLimits.TenantPerFree),
        UseOf(1, _byTenant.Of(account + FlowLimits.PortSlots), FlowLimits.TenantPerFree));

    private QuotaUse UseOf(int table, int flows, int perFree) => new(flows, Math.Max(1, FreeOf(table) * perFree));
}
