using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Genkan.Datapath.Layout;

/// <summary>What a budget is asked for; equal to <c>enum lane</c>.</summary>
internal enum BudgetLaneKind
{
    /// <summary>First packets of flows.</summary>
    Flows = 0,

    /// <summary>ARP, ND, DHCP, ICMP for the agent; what is for the host's own services.</summary>
    Control = 1,

    /// <summary>Copies of broadcast and multicast.</summary>
    Copies = 2,
}

/// <summary><c>struct budget</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 136)]
internal struct BudgetEntry
{
    [FieldOffset(0)] internal ulong ArrivalNs;
    [FieldOffset(8)] internal ulong IntervalNs;
    [FieldOffset(16)] internal ulong BurstNs;
    [FieldOffset(24)] internal ulong Admitted;
    [FieldOffset(32)] internal ulong Refused;
    [FieldOffset(40)] internal ulong ControlArrivalNs;
    [FieldOffset(48)] internal ulong ControlIntervalNs;
    [FieldOffset(56)] internal ulong ControlBurstNs;
    [FieldOffset(64)] internal ulong ControlAdmitted;
    [FieldOffset(72)] internal ulong ControlRefused;
    [FieldOffset(80)] internal ulong CopyArrivalNs;
    [FieldOffset(88)] internal ulong CopyIntervalNs;
    [FieldOffset(96)] internal ulong CopyBurstNs;
    [FieldOffset(104)] internal ulong CopyAdmitted;
    [FieldOffset(112)] internal ulong CopyRefused;
    [FieldOffset(120)] internal ulong Owner;
    [FieldOffset(128)] internal uint Parent;
}

/// <summary>One lane of <see cref="BudgetEntry"/>: the same five fields in each.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BudgetLane
{
    internal ulong ArrivalNs;
    internal ulong IntervalNs;
    internal ulong BurstNs;
    internal ulong Admitted;
    internal ulong Refused;

    /// <summary>A lane of a budget, in place.</summary>
    internal static ref BudgetLane Of(ref BudgetEntry budget, BudgetLaneKind kind)
    {
        ref ulong first = ref budget.ArrivalNs;
        if (kind == BudgetLaneKind.Control) first = ref budget.ControlArrivalNs;
        else if (kind == BudgetLaneKind.Copies) first = ref budget.CopyArrivalNs;
        return ref Unsafe.As<ulong, BudgetLane>(ref first);
    }
}

/// <summary><c>struct flow_credit</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct FlowCreditEntry
{
    [FieldOffset(0)] internal uint Made4;
    [FieldOffset(4)] internal uint Limit4;
    [FieldOffset(8)] internal uint Made6;
    [FieldOffset(12)] internal uint Limit6;
}
