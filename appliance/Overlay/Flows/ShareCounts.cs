using System;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Entries of a table by whose they are. Taking counts at once; a pass of the sweep counts anew what is there, and what
/// is taken during the pass counts on top, since the pass may have met it or not. Safe for parallel use.
/// </summary>
internal sealed class ShareCounts(int accounts)
{
    private readonly int[] _taken = new int[accounts];
    private readonly int[] _seen = new int[accounts];
    private readonly int[] _takenInPass = new int[accounts];

    /// <summary>Entries of an account.</summary>
    public int Of(int account) => Volatile.Read(ref _taken[account]);

    /// <summary>Entries of an account that the pass has met so far, or did meet.</summary>
    public int SeenOf(int account) => _seen[account];

    /// <summary>Takes room for one.</summary>
    /// <returns>False if the account holds as many as it may.</returns>
    public bool TryTake(int account, int max)
    {
        if (Interlocked.Increment(ref _taken[account]) > max)
        {
            Interlocked.Decrement(ref _taken[account]);
            return false;
        }

        Interlocked.Increment(ref _takenInPass[account]);
        return true;
    }

    /// <summary>Gives room back that was taken for nothing.</summary>
    public void GiveBack(int account)
    {
        Interlocked.Decrement(ref _taken[account]);
        Interlocked.Decrement(ref _takenInPass[account]);
    }

    /// <summary>A pass of the sweep begins.</summary>
    public void BeginPass()
    {
        Array.Clear(_seen);
        Array.Clear(_takenInPass);
    }

    /// <summary>The pass met an entry that stays.</summary>
    public void See(int account) => _seen[account]++;

    /// <summary>The pass is over.</summary>
    public void EndPass()
    {
        for (int i = 0; i < _taken.Length; i++)
            Interlocked.Exchange(ref _taken[i], _seen[i] + Volatile.Read(ref _takenInPass[i]));
    }
}
