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

    /// <summary>Takes room.</summary>
    /// <returns>False if the account would hold more than it may.</returns>
    public bool TryTake(int account, int max, int count = 1)
    {
        if (Interlocked.Add(ref _taken[account], count) > max)
        {
            Interlocked.Add(ref _taken[account], -count);
            return false;
        }

        Interlocked.Add(ref _takenInPass[account], count);
        return true;
    }

    /// <summary>Gives room back that was taken for nothing.</summary>
    public void GiveBack(int account, int count = 1)
    {
        Interlocked.Add(ref _taken[account], -count);
        Interlocked.Add(ref _takenInPass[account], -count);
    }

    /// <summary>A pass of the sweep begins.</summary>
    public void BeginPass()
    {
        Array.Clear(_seen);
        Array.Clear(_takenInPass);
    }

    /// <summary>The pass met entries that stay.</summary>
    public void See(int account, int count = 1) => _seen[account] += count;

    /// <summary>The pass is over.</summary>
    public void EndPass()
    {
        for (int i = 0; i < _taken.Length; i++)
            Interlocked.Exchange(ref _taken[i], _seen[i] + Volatile.Read(ref _takenInPass[i]));
    }
}
