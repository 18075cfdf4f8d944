using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Genkan.Fuzz.Coverage;

/// <summary>A run went past its budget: a loop without an end, or a recursion.</summary>
public sealed class BudgetException(string message) : Exception(message);

/// <summary>
/// What the instrumented code tells of one run: which edges between basic blocks it took and how often, its steps, and
/// how deep it got. Steps and stack have budgets, so that a run ends by its own work and not by a clock. One thread.
/// </summary>
public static unsafe class EdgeMap
{
    /// <summary>Counters; an edge is (block it came from / 2) xor block.</summary>
    public const int Size = 1 << 16;

    /// <summary>Octets of stack that a run may take.</summary>
    public const int StackMax = 192 * 1024;

    private static readonly byte* Counters = (byte*)NativeMemory.AllocZeroed(Size);
    private static int _previous;
    private static long _stepsLeft = long.MaxValue;
    private static nuint _stackFloor;

    /// <summary>The counters.</summary>
    public static Span<byte> Edges => new(Counters, Size);

    /// <summary>Steps that the budget still has.</summary>
    public static long StepsLeft => _stepsLeft;

    /// <summary>Begins a run.</summary>
    /// <param name="stepsMax">Basic blocks that it may enter.</param>
    public static void Begin(long stepsMax)
    {
        byte here;
        NativeMemory.Clear(Counters, Size);
        _previous = 0;
        _stepsLeft = stepsMax;
        _stackFloor = (nuint)(&here) - StackMax;
    }

    /// <summary>Ends a run: from here on nothing is bounded.</summary>
    public static void End()
    {
        _stepsLeft = long.MaxValue;
        _stackFloor = 0;
    }

    /// <summary>A method begins.</summary>
    public static void Enter(int block)
    {
        byte here;
        if ((nuint)(&here) < _stackFloor) Fail("more than the stack that a run may take");
        Hit(block);
    }

    /// <summary>A basic block begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Hit(int block)
    {
        Counters[(_previous ^ block) & (Size - 1)]++;
        _previous = block >> 1;
        if (--_stepsLeft < 0) Fail("more steps than a run of this length may take");
    }

    private static void Fail(string message)
    {
        End();
        throw new BudgetException(message);
    }
}
