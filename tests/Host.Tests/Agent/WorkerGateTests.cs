using System;
using System.Linq;
using System.Threading;
using Genkan.Host.Agent;
using Genkan.Testing;
using Shouldly;

namespace Genkan.Host.Tests.Agent;

/// <summary>Workers in parallel, and one thread alone.</summary>
public sealed class WorkerGateTests
{
    private const int WorkerCount = 3;
    private const int Batches = 20_000;
    private const int TimesAlone = 2_000;

    [Fact]
    public void Nobody_is_in_a_batch_while_one_runs_alone_and_all_come_to_their_end()
    {
        WorkerGate gate = new(WorkerCount);
        long shared = 0; // changed alone, read in batches: a batch must never see it move
        int moved = 0;
        int inside = 0;
        int metInside = 0;
        Thread[] workers =
        [
            .. Enumerable.Range(0, WorkerCount).Select(worker => new Thread(() =>
            {
                for (int i = 0; i < Batches; i++)
                {
                    gate.Enter(worker);
                    Interlocked.Increment(ref inside);
                    long before = Volatile.Read(ref shared);
                    Thread.SpinWait(20);
                    if (Volatile.Read(ref shared) != before) Interlocked.Increment(ref moved);
                    Interlocked.Decrement(ref inside);
                    gate.Exit(worker);
                }
            })),
        ];
        foreach (Thread worker in workers) worker.Start();

        for (int i = 0; i < TimesAlone; i++)
        {
            gate.RunAlone(() =>
            {
                metInside += Volatile.Read(ref inside);
                Volatile.Write(ref shared, shared + 1);
            });
        }

        foreach (Thread worker in workers) worker.Join();
        (moved, metInside, shared).ShouldBe((0, 0, TimesAlone));
    }

    [Fact]
    public void The_gate_opens_again_after_a_fault()
    {
        WorkerGate gate = new(workerCount: 1);
        Should.Throw<InvalidOperationException>(
            () => gate.RunAlone(() => throw new InvalidOperationException("a fault of ours")));

        gate.Enter(0);
        gate.Exit(0);
        bool hasRun = false;
        gate.RunAlone(() => hasRun = true);
        hasRun.ShouldBeTrue();
    }

    [Fact]
    public void A_batch_costs_no_allocation()
    {
        WorkerGate gate = new(workerCount: 1);

        Allocation.Of(() =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                gate.Enter(0);
                gate.Exit(0);
            }
        }).ShouldBe(0);
    }
}
