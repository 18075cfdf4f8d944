using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Genkan.Host.Agent;

/// <summary>
/// Lets packet workers run in parallel, and now and then one thread alone while none of them is in the middle of a
/// batch. A worker pays one store and one fence a batch; who runs alone waits for a batch at most, and lets every
/// worker that it kept waiting have its turn before it closes the gate again.
/// </summary>
/// <param name="workerCount">Workers; each has a number below.</param>
internal sealed class WorkerGate(int workerCount)
{
    private readonly Seat[] _seats = new Seat[workerCount];
    private readonly Lock _alone = new();
    private int _isClosed;
    private int _waiting;

    // A cache line and the one that is fetched along: workers do not see each other.
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct Seat
    {
        internal int IsTaken;
    }

    /// <summary>Begins a batch of a worker; waits while another thread runs alone.</summary>
    public void Enter(int worker)
    {
        if (TryEnter(worker)) return;
        Interlocked.Increment(ref _waiting);
        do
        {
            _alone.Enter(); // sleeps until whoever is alone is done
            _alone.Exit();
        }
        while (!TryEnter(worker));
        Interlocked.Decrement(ref _waiting);
    }

    /// <summary>Ends a batch of a worker.</summary>
    public void Exit(int worker) => Volatile.Write(ref _seats[worker].IsTaken, 0);

    /// <summary>Runs an action while no worker is in a batch. Not from a worker, nor from within such an
    /// action.</summary>
    public void RunAlone(Action action)
    {
        SpinWait spin = default;
        while (Volatile.Read(ref _waiting) > 0) spin.SpinOnce(sleep1Threshold: -1);
        lock (_alone)
        {
            Interlocked.Exchange(ref _isClosed, 1);
            try
            {
                for (int i = 0; i < _seats.Length; i++)
                {
                    while (Volatile.Read(ref _seats[i].IsTaken) != 0) spin.SpinOnce(sleep1Threshold: -1);
                }

                action();
            }
            finally
            {
                Volatile.Write(ref _isClosed, 0);
            }
        }
    }

    // Taken first, then looked: either the worker sees the gate closed, or who closes it sees the seat taken.
    private bool TryEnter(int worker)
    {
        Interlocked.Exchange(ref _seats[worker].IsTaken, 1);
        if (Volatile.Read(ref _isClosed) == 0) return true;
        Volatile.Write(ref _seats[worker].IsTaken, 0);
        return false;
    }
}
