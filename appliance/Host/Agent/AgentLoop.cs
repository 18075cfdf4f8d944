using System;
using System.Collections.Generic;
using System.Linq;
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
/// The threads of an agent: workers that handle packets in parallel, and the one that runs this loop, which owns the
/// topology: it expires, follows interfaces and answers the questions of other threads. What the workers must not see
/// half done it does in <see cref="RunAlone"/>; reading does not stop them.
/// </summary>
internal sealed partial class AgentLoop : IDisposable
{
    /// <summary>Questions that may wait at a time; more are refused.</summary>
    private const int QuestionsMax = 256;

    /// <summary>Translations that expire in one turn.</summary>
    private const int NatExpireBudget = 256;

    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(20);

    private readonly KernelDatapath _datapath;
    private readonly SlowPath _slowPath;
    private readonly FlowSweeper _sweeper;
    private readonly RouterAdvertiser _advertiser;
    private readonly NatTable _nat;
    private readonly WorkerGate _gate;
    private readonly FaultLog _faults;
    private readonly ILogger _logger;
    private readonly Channel<Action> _questions = Channel.CreateBounded<Action>(QuestionsMax);
    private readonly AutoResetEvent _bell = new(initialState: false);
    private readonly BudgetTurns _budgets;
    private TimeSpan _nextSweep;

    public AgentLoop(KernelDatapath datapath, SlowPath slowPath, NatTable nat, FlowClasses classes, ILogger logger)
    {
        _datapath = datapath;
        _slowPath = slowPath;
        _nat = nat;
        _logger = logger;
        _faults = new FaultLog(logger);
        _gate = new WorkerGate(datapath.Workers.Count);
        Workers = [.. datapath.Workers.Select((worker, i) => new PacketWorker(i, worker, slowPath, _gate, _faults))];
        _sweeper = new FlowSweeper(datapath, classes, slowPath);
        _budgets = new BudgetTurns(datapath, slowPath);
        _advertiser = new RouterAdvertiser(
            datapath, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    }

    public KernelDatapath Datapath => _datapath;

    public SlowPath SlowPath => _slowPath;

    public FlowSweeper Sweeper => _sweeper;

    public NatTable Nat => _nat;

    /// <summary>Those who handle packets, one a core.</summary>
    public IReadOnlyList<PacketWorker> Workers { get; }

    /// <summary>How the slow path is shared out.</summary>
    public BudgetTurns Budgets => _budgets;

    /// <summary>Packets and turns of housekeeping that ended in a fault of ours; each of the first ones is in the log,
    /// a packet with its octets.</summary>
    public ulong Faults => _faults.Count;

    /// <summary>Has a question answered by the loop's thread, while the workers go on. A question that changes what
    /// they use does so in <see cref="RunAlone"/>.</summary>
    /// <exception cref="InvalidOperationException">Too many questions wait, or the loop has ended.</exception>
    public Task<T> AskAsync<T>(Func<AgentLoop, T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isQueued = _questions.Writer.TryWrite(() => Answer(question, answer));
        if (!isQueued) throw new InvalidOperationException("The agent is busy; ask again in a moment.");
        _bell.Set();
        return answer.Task;
    }

    /// <summary>Runs an action while no worker is in a batch; on the loop's thread, or before it runs.</summary>
    public void RunAlone(Action action) => _gate.RunAlone(action);

    /// <summary>Takes over the connections of an earlier agent: their translations now, their classes by and
    /// by. Before the workers start.</summary>
    public void AdoptConnections()
    {
        FlowEntry[] batch = new FlowEntry[FlowLimits.SweepBatch];
        (int kept, int ended) = (0, 0);
        ulong cursor = 0;
        do
        {
            _datapath.Beat();
            int count = _datapath.Scan(batch, ref cursor);
            for (int i = 0; i < count; i++)
            {
                if (_slowPath.Adopt(batch[i])) kept++;
                else ended++;
            }
        }
        while (cursor != 0);

        if (kept + ended == 0) return;
        LogAdopted(_slowPath.Topology.LocalHost.Name, kept, ended);
        _sweeper.RevalidateAll();
    }

    /// <summary>Runs the loop until cancelled; the workers have threads of their own. The kernel goes on forwarding
    /// after that.</summary>
    public void Run(CancellationToken stop)
    {
        using CancellationTokenRegistration wake = stop.Register(() => _bell.Set());
        while (!stop.IsCancellationRequested)
        {
            AnswerQuestions();
            Housekeep();
            if (!_sweeper.IsUrgent) _bell.WaitOne(Wait());
        }

        _questions.Writer.TryComplete();
        AnswerQuestions();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bell.Dispose();
        _budgets.Dispose();
    }

    private TimeSpan Wait()
    {
        TimeSpan wait = _nextSweep - _datapath.Now;
        return wait <= TimeSpan.Zero ? TimeSpan.Zero : wait < IdleWait ? wait : IdleWait;
    }

    private void AnswerQuestions()
    {
        while (_questions.Reader.TryRead(out Action? question)) question();
    }

    private void Housekeep()
    {
        _datapath.Beat();
        TimeSpan now = _datapath.Now;
        TurnBudgets(now);
        if (now < _nextSweep && !_sweeper.IsUrgent) return;

        _nextSweep = now + SweepPause; // also after a fault, which must not be tried again at once
        try
        {
            if (!SweepAndFollow(now)) _nextSweep = now + _sweeper.Pace;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _faults.Housekeeping(fault);
        }
    }

    private void TurnBudgets(TimeSpan now)
    {
        try
        {
            _budgets.Turn(now, Workers.Count);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _faults.Housekeeping(fault);
        }
    }

    /// <summary>Looks at the next connections, translations, routers and interfaces.</summary>
    /// <returns>Whether a pass over all connections has ended.</returns>
    private bool SweepAndFollow(TimeSpan now)
    {
        bool isPassOver = false;
        _gate.RunAlone(() =>
        {
            isPassOver = _sweeper.Turn();
            _slowPath.ExpireFragments();
            _nat.Expire(now, NatExpireBudget);
        });
        _advertiser.Turn(_slowPath.Topology);
        if (_datapath.IsReclaimWanted) _gate.RunAlone(_datapath.Reclaim);
        if (_datapath.HaveLinksChanged)
        {
            _gate.RunAlone(() => _datapath.FollowLinks());
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
            // The asker gets the fault; the loop goes on.
            answer.SetException(fault);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Fault}")]
    private partial void LogLinkFault(string fault);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Host {Host}: adopted {Kept} connections from the previous agent; {Ended} ended because their ports "
            + "moved.")]
    private partial void LogAdopted(string host, int kept, int ended);
}
