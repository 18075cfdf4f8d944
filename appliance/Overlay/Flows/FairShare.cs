using System;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Shares a rate among budgets, max-min fairly in two levels: among tenants, and within a tenant among its ports. Who
/// asks for less than a share gets what it asks for; what it leaves goes to the others; who asks for more is cut to the
/// level of the largest that is left, so the heaviest is cut first. Allocates nothing after construction.
/// </summary>
/// <remarks>
/// Some demand is speculative: flows that are refused or that nobody answers (a scan, a flood). It has a floor, all of
/// it together a floor that is shared like the rate itself (a scan of a thousand addresses has a thousand budgets), and
/// beyond that only what is spare.
/// </remarks>
public sealed class FairShare
{
    private readonly Member[] _members;
    private readonly Group[] _groups;
    private readonly int[] _groupOf;
    private readonly double[] _scratch;
    private int _count;
    private int _groupCount;

    /// <summary>Takes all memory.</summary>
    /// <param name="budgetMax">Indices of budgets and of totals stay below.</param>
    public FairShare(int budgetMax)
    {
        _members = new Member[budgetMax];
        _groups = new Group[budgetMax];
        _groupOf = new int[budgetMax];
        _scratch = new double[budgetMax];
        Array.Fill(_groupOf, -1);
    }

    /// <summary>Budgets that ask for something.</summary>
    public int Count => _count;

    /// <summary>Tenants that ask for something.</summary>
    public int GroupCount => _groupCount;

    /// <summary>Units a second asked for by all together.</summary>
    public double Demand { get; private set; }

    /// <summary>Begins a new turn: nobody asks for anything.</summary>
    public void Begin()
    {
        for (int i = 0; i < _groupCount; i++) _groupOf[_groups[i].Total] = -1;
        (_count, _groupCount, Demand) = (0, 0, 0);
    }

    /// <summary>A budget asks. One member a budget and turn.</summary>
    /// <param name="budget">Its index.</param>
    /// <param name="total">Index of its tenant's total.</param>
    /// <param name="perSecond">Units a second, above 0.</param>
    /// <param name="isSpeculative">Whether its flows come to nothing.</param>
    public void Add(uint budget, uint total, double perSecond, bool isSpeculative)
    {
        int group = _groupOf[total];
        if (group < 0)
        {
            group = _groupOf[total] = _groupCount++;
            _groups[group] = new Group { Total = total };
        }

        _members[_count++] = new Member
        {
            Budget = budget,
            Group = group,
            PerSecond = perSecond,
            IsSpeculative = isSpeculative,
        };
        Demand += perSecond;
    }

    /// <summary>Shares.</summary>
    /// <param name="capacity">Units a second of all together.</param>
    /// <param name="spare">Of these, what speculative demand may have above its floor.</param>
    /// <param name="floor">Units a second that speculative demand of a budget may have as anybody's.</param>
    /// <param name="floorOfAll">Units a second that all speculative demand together may have as anybody's.</param>
    public void Share(double capacity, double spare, double floor, double floorOfAll)
    {
        Array.Sort(_members, 0, _count, ByGroup.Instance);
        for (int i = 0, m = 0; i < _groupCount; i++)
        {
            ref Group group = ref _groups[_members[m].Group];
            (group.First, group.Firm, group.Asked, group.Speculative) = (m, 0, 0, 0);
            for (; m < _count && _members[m].Group == _members[group.First].Group; m++)
            {
                ref Member member = ref _members[m];
                group.Asked += member.PerSecond;
                if (member.IsSpeculative) group.Speculative += Math.Min(member.PerSecond, floor);
                else group.Firm += member.PerSecond;
            }

            group.End = m;
        }

        for (int i = 0; i < _groupCount; i++) _scratch[i] = _groups[i].Speculative;
        double speculativeLevel = Level(_scratch.AsSpan(0, _groupCount), floorOfAll);
        for (int i = 0; i < _groupCount; i++)
        {
            ref Group group = ref _groups[i];
            group.Speculative = Math.Min(group.Speculative, speculativeLevel);
            group.Firm += group.Speculative;
        }

        for (int i = 0; i < _groupCount; i++) _scratch[i] = _groups[i].Firm;
        double level = Level(_scratch.AsSpan(0, _groupCount), capacity);
        double left = capacity;
        for (int i = 0; i < _groupCount; i++) left -= Math.Min(_groups[i].Firm, level);
        for (int i = 0; i < _groupCount; i++) _scratch[i] = _groups[i].Asked - _groups[i].Firm;
        double extraLevel = Level(_scratch.AsSpan(0, _groupCount), Math.Clamp(spare, 0, Math.Max(0, left)));
        for (int i = 0; i < _groupCount; i++) ShareWithin(ref _groups[i], level, extraLevel, floor);
    }

    /// <summary>A budget and its limit, in no order.</summary>
    /// <param name="index">Below <see cref="Count"/>.</param>
    /// <param name="limit">Units a second.</param>
    /// <returns>The budget's index.</returns>
    public uint Limit(int index, out double limit)
    {
        limit = _members[index].Limit;
        return _members[index].Budget;
    }

    /// <summary>A tenant's total and its limit.</summary>
    /// <param name="index">Below <see cref="GroupCount"/>.</param>
    /// <param name="limit">Units a second.</param>
    /// <returns>The total's index.</returns>
    public uint GroupLimit(int index, out double limit)
    {
        limit = _groups[index].Limit;
        return _groups[index].Total;
    }

    /// <summary>The water level: what each may have so that all together have <paramref name="capacity"/>.</summary>
    /// <param name="demands">Sorted by this.</param>
    /// <param name="capacity">What there is.</param>
    /// <returns>The capacity itself if nobody has to be cut.</returns>
    internal static double Level(Span<double> demands, double capacity)
    {
        demands.Sort();
        double left = capacity;
        for (int i = 0; i < demands.Length; i++)
        {
            double share = left / (demands.Length - i);
            if (demands[i] > share) return share;
            left -= demands[i];
        }

        return capacity;
    }

    private void ShareWithin(ref Group group, double level, double extraLevel, double floor)
    {
        group.Limit = level + extraLevel;
        Span<double> demands = _scratch.AsSpan(0, group.End - group.First);
        Span<Member> members = _members.AsSpan(group.First, demands.Length);
        for (int i = 0; i < demands.Length; i++)
            demands[i] = members[i].IsSpeculative ? Math.Min(members[i].PerSecond, floor) : 0;
        double lowest = Math.Min(floor, Level(demands, group.Speculative));
        for (int i = 0; i < demands.Length; i++)
            demands[i] = members[i].IsSpeculative ? Math.Min(members[i].PerSecond, lowest) : members[i].PerSecond;
        double own = Level(demands, level);
        for (int i = 0; i < demands.Length; i++)
            demands[i] = members[i].IsSpeculative ? Math.Max(0, members[i].PerSecond - lowest) : 0;
        double extra = Level(demands, extraLevel);
        foreach (ref Member member in members)
            member.Limit = member.IsSpeculative ? Math.Min(own, lowest) + extra : own;
    }

    private struct Member
    {
        internal uint Budget;
        internal int Group;
        internal bool IsSpeculative;
        internal double PerSecond;
        internal double Limit;
    }

    private struct Group
    {
        internal uint Total;
        internal int First;
        internal int End;
        internal double Asked;
        internal double Speculative; // of that, what is firm since all together have a floor
        internal double Firm;
        internal double Limit;
    }

    private sealed class ByGroup : System.Collections.Generic.IComparer<Member>
    {
        internal static ByGroup Instance { get; } = new();

        public int Compare(Member x, Member y) => x.Group.CompareTo(y.Group);
    }
}
