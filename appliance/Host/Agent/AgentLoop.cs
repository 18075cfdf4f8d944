using System;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Genkan.Datapath.Tables;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>
/// The one thread that owns tables, translations and topology. It reads what the kernel sends up, and between batches
/// answers the questions of other threads, so that nothing here needs a lock.
/// </summary>
internal sealed partial class AgentLoop
{
    /// <summary>Questions that may wait at a time; more are refused.</summary>
    private const int QuestionsMax = 256;

    /// <summary>Packets between two looks at the clock and the questions.</summary>
    private const int BatchMax = 64;

    /// <summary>Translations that expire in one turn.</summary>
    private const int NatExpireBudget = 256;

    /// <summary>Faults that are written to the log; an attacker must not fill it.</summary>
    private const ulong FaultsLoggedMax = 100;

    private static readonly TimeSpan SweepTurn = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(50);

    private readonly KernelDatapath _datapath;
    private readonly SlowPath _slowPath;
    private readonly FlowSweeper _sweeper;
    private readonly RouterAdvertiser _advertiser;
    private readonly NatTable _nat;
    private readonly ILogger _logger;
    private readonly Channel<Action> _questions = Channel.CreateBounded<Action>(QuestionsMax);
    private TimeSpan _nextSweep;

    public AgentLoop(KernelDatapath datapath, SlowPath slowPath, NatTable nat, FlowClasses classes, ILogger logger)
    {
        _datapath = datapath;
        _slowPath = slowPath;
        _nat = nat;
        _logger = logger;
        _sweeper = new FlowSweeper(datapath, classes, slowPath);
        _advertiser = new RouterAdvertiser(
            datapath, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    }

    public KernelDatapath Datapath => _datapath;

    public SlowPath SlowPath => _slowPath;

    public FlowSweeper Sweeper => _sweeper;

    public NatTable Nat => _nat;

    /// <summary>Packets and turns of housekeeping that ended in a fault of ours; each of the first ones is in the log,
    /// a packet with its octets.</summary>
    public ulong Faults { get; private set; }

    /// <summary>Has a question answered by the loop's thread.</summary>
    /// <exception cref="InvalidOperationException">Too many questions wait, or the loop has ended.</exception>
    public Task<T> AskAsync<T>(Func<AgentLoop, T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isQueued = _questions.Writer.TryWrite(() => Answer(question, answer));
        if (!isQueued) throw new InvalidOperationException("The agent is busy; ask again in a moment.");
        _datapath.Upcalls.Wake();
        return answer.Task;
    }

    /// <summary>Takes over the connections of an earlier agent: their translations now, their classes by and
    /// by.</summary>
    public void AdoptConnections()
    {
        FlowEntry[] batch = new FlowEntry[FlowLimits.SweepBatch];
        (int kept, int ended) = (0, 0);
        ulong cursor = 0;
        do
        {
            int count = _datapath.Scan(batch, ref cursor);
            for (int i = 0; i < count; i++)
            {
                if (_slowPath.Adopt(batch[i])) kept++;
                else ended++;
            }
        }
        while (cursor != 0);

        if (kept + ended == 0) return;
        LogAdopted(kept, ended);
        _sweeper.RevalidateAll();
    }

    /// <summary>Runs until cancelled. The kernel goes on forwarding after that.</summary>
    public void Run(CancellationToken stop)
    {
        using CancellationTokenRegistration wake = stop.Register(_datapath.Upcalls.Wake);
        while (!stop.IsCancellationRequested)
        {
            int handled = HandleBatch();
            AnswerQuestions();
            Housekeep();
            if (handled == 0 && !_sweeper.IsUrgent) _datapath.Upcalls.Wait(IdleWait);
        }

        _questions.Writer.TryComplete();
        AnswerQuestions();
    }

    private int HandleBatch()
    {
        int handled = 0;
        while (handled < BatchMax && _datapath.Upcalls.TryRead(out UpcallFrame upcall))
        {
            Handle(upcall);
            handled++;
        }

        if (handled > 0) _datapath.Flush();
        return handled;
    }

    /// <summary>A packet may be an attack: a fault of ours that it finds costs that packet, never the loop.</summary>
    private void Handle(in UpcallFrame upcall)
    {
        try
        {
            _slowPath.Handle(upcall.Upcall, upcall.Frame);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            Faults++;
            if (Faults > FaultsLoggedMax) return;
            LogFault(fault, Convert.ToHexString(upcall.Frame[..Math.Min(upcall.Frame.Length, 128)]));
        }
    }

    private void AnswerQuestions()
    {
        while (_questions.Reader.TryRead(out Action? question)) question();
    }

    private void Housekeep()
    {
        _datapath.Beat();
        TimeSpan now = _datapath.Now;
        if (now < _nextSweep && !_sweeper.IsUrgent) return;

        _nextSweep = now + SweepPause; // also after a fault, which must not be tried again at once
        try
        {
            if (!SweepAndFollow(now)) _nextSweep = now + SweepTurn;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            Faults++;
            if (Faults <= FaultsLoggedMax) LogHousekeepingFault(fault);
        }
    }

    /// <summary>Looks at the next connections, translations, routers and interfaces.</summary>
    /// <returns>Whether a pass over all connections has ended.</returns>
    private bool SweepAndFollow(TimeSpan now)
    {
        bool isPassOver = _sweeper.Turn();
        _nat.Expire(now, NatExpireBudget);
        _advertiser.Turn(_slowPath.Topology);
        if (_datapath.FollowLinks())
        {
            foreach (string fault in _datapath.Faults) LogLinkFault(fault);
        }

        _datapath.Flush();
        return isPassOver;
    }

    private void Answer<T>(Func<AgentLoop, T> question, TaskCompletionSource<T> answer)
    {
        try
        {
            answer.SetResult(question(this));
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // The asker gets the fault; the packet loop goes on.
            answer.SetException(fault);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "A packet made the agent fail, and was dropped. It began with {Octets}.")]
    private partial void LogFault(Exception fault, string octets);

    [LoggerMessage(Level = LogLevel.Error, Message = "Housekeeping failed; the agent tries again in a second.")]
    private partial void LogHousekeepingFault(Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Fault}")]
    private partial void LogLinkFault(string fault);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Adopted {Kept} connections from the previous agent; {Ended} ended because their ports moved.")]
    private partial void LogAdopted(int kept, int ended);
}
