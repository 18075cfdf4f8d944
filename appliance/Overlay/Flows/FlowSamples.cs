using System;
using System.Threading;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>
/// What comes of the flows that a budget paid for. One in <see cref="Interval"/> is looked at again after
/// <see cref="Wait"/>: was it answered? A scan's and a flood's mostly are not, so that neither may take more of the
/// slow path than nobody else misses. A budget that nothing is known of is taken for what the others of its total are:
/// a scan of a thousand addresses needs not be found out a thousand times. Safe for parallel use: a lock a sample.
/// </summary>
public sealed class FlowSamples
{
    /// <summary>One flow in so many is a sample: a prime, which no burst has for its length.</summary>
    public const int Interval = 61;

    /// <summary>Samples that wait at a time; more are not taken.</summary>
    public const int WaitingMax = 2_048;

    /// <summary>A budget is useless below this share of answered flows.</summary>
    public const double UsefulMin = 0.25;

    /// <summary>Time that an answer has.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(0.5);

    private const float Weight = 1 / 8f;

    private readonly Lock _lock = new();
    private readonly Sample[] _waiting = new Sample[WaitingMax];
    private readonly float[] _useless;
    private readonly bool[] _isKnown;
    private readonly uint[] _totals;
    private int _first;
    private int _count;
    private int _turn;

    /// <summary>Takes all memory.</summary>
    /// <param name="budgetMax">Indices of budgets stay below.</param>
    public FlowSamples(int budgetMax) =>
        (_useless, _isKnown, _totals) = (new float[budgetMax], new bool[budgetMax], new uint[budgetMax]);

    /// <summary>Whether most flows that a budget pays for come to nothing; without samples of its own, whether those of
    /// its total's budgets do.</summary>
    /// <param name="budget">Its index.</param>
    public bool IsUseless(uint budget)
    {
        uint total = Volatile.Read(ref _totals[budget]);
        uint judged = total == 0 || Volatile.Read(ref _isKnown[budget]) ? budget : total;
        return 1 - Volatile.Read(ref _useless[judged]) < UsefulMin;
    }

    /// <summary>A budget counts in a total.</summary>
    /// <param name="budget">Its index.</param>
    /// <param name="total">Index of the total, 0 none.</param>
    public void Belongs(uint budget, uint total) => Volatile.Write(ref _totals[budget], total);

    /// <summary>A budget's index has another owner: it is trusted again.</summary>
    /// <param name="budget">Its index.</param>
    public void Forget(uint budget)
    {
        Volatile.Write(ref _useless[budget], 0);
        Volatile.Write(ref _isKnown[budget], false);
    }

    /// <summary>A flow was refused: by a rule, a quota, for want of a way.</summary>
    /// <param name="budget">What paid for it, 0 nothing.</param>
    public void Refused(uint budget)
    {
        if (budget >= _useless.Length || !IsSample()) return;
        lock (_lock) Count(budget, isUseful: false);
    }

    /// <summary>A flow was installed.</summary>
    /// <param name="budget">What paid for it, 0 nothing.</param>
    /// <param name="key">Key of its entry.</param>
    /// <param name="now">Time.</param>
    public void Installed(uint budget, in FlowKey key, TimeSpan now)
    {
        if (budget >= _useless.Length || !IsSample()) return;
        lock (_lock)
        {
            if (_count == WaitingMax) return;
            _waiting[(_first + _count++) % WaitingMax] = new Sample(budget, key, now);
        }
    }

    /// <summary>Looks at the samples whose time has come.</summary>
    /// <param name="datapath">The kernel's tables.</param>
    /// <param name="topology">Current topology.</param>
    public void Judge(IDatapath datapath, TopologySnapshot topology)
    {
        lock (_lock)
        {
            while (_count > 0 && datapath.Now - _waiting[_first].Time >= Wait)
            {
                Sample sample = _waiting[_first];
                _first = (_first + 1) % WaitingMax;
                _count--;
                if (datapath.TryFind(sample.Key, out FlowEntry entry)) // else nobody knows any more
                    Count(sample.Budget, IsAnswered(datapath, topology, entry));
            }
        }
    }

    // An answer on this host stands in the twin. Where it comes in at another host, only the originator tells of it: it
    // sends on, over TCP after a SYN of its own. A reset is no connection.
    private static bool IsAnswered(IDatapath datapath, TopologySnapshot topology, in FlowEntry entry)
    {
        bool hasTwin = FlowTwin.TryFind(topology, datapath, entry, out FlowEntry twin);
        if (hasTwin && twin.Packets == 0) return false;
        if (entry.Key.Protocol != IpProtocol.Tcp) return hasTwin || entry.Packets > 1;
        return hasTwin
            ? (entry.TcpSeen & FlowTimeouts.TcpSeenAck) != 0 && (twin.TcpSeen & FlowTimeouts.TcpSeenRst) == 0
            : (entry.TcpSeen & FlowTimeouts.TcpSeenHandshake) == FlowTimeouts.TcpSeenHandshake;
    }

    private bool IsSample() => (uint)Interlocked.Increment(ref _turn) % Interval == 0;

    // The first sample of a budget moves what is known of its total, not what is known of nobody.
    private void Count(uint budget, bool isUseful)
    {
        uint total = _totals[budget];
        if (total != 0)
        {
            if (!_isKnown[budget]) _useless[budget] = _useless[total];
            Weigh(total, isUseful);
        }

        _isKnown[budget] = true;
        Weigh(budget, isUseful);
    }

    private void Weigh(uint index, bool isUseful) =>
        _useless[index] += Weight * ((isUseful ? 0 : 1) - _useless[index]);

    private readonly record struct Sample(uint Budget, FlowKey Key, TimeSpan Time);
}
