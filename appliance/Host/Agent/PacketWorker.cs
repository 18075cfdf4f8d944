using System;
using System.Collections.Generic;
using System.Threading;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;

namespace Genkan.Host.Agent;

/// <summary>
/// One thread that handles packets: reads the rings of its CPUs in batches and gives them to its
/// <see cref="Overlay.Flows.SlowPath"/>. What it allocates, it allocates at the start.
/// </summary>
internal sealed class PacketWorker
{
    /// <summary>Packets in a batch: between two looks at the gate, and in one call of the kernel.</summary>
    public const int BatchMax = 64;

    private static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(1);

    private readonly int _index;
    private readonly DatapathWorker _datapath;
    private readonly WorkerGate _gate;
    private readonly FaultLog _faults;
    private readonly TimeSpan[] _arrivals = new TimeSpan[BatchMax];
    private ulong _batches;

    /// <summary>Wires a worker.</summary>
    /// <param name="index">Zero-based.</param>
    /// <param name="datapath">Its tables and rings.</param>
    /// <param name="slowPath">What it has in common with the others.</param>
    /// <param name="gate">Where it asks for a batch.</param>
    /// <param name="faults">Where faults of ours go.</param>
    public PacketWorker(int index, DatapathWorker datapath, SlowPath slowPath, WorkerGate gate, FaultLog faults)
    {
        (_index, _datapath, _gate, _faults) = (index, datapath, gate, faults);
        SlowPath = new SlowPath(slowPath, datapath);
    }

    /// <summary>What it does with packets.</summary>
    public SlowPath SlowPath { get; }

    /// <summary>Batches so far.</summary>
    public ulong Batches => Volatile.Read(ref _batches);

    /// <summary>From the kernel's record of a packet until its decision is in the tables and it is on its
    /// way.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Octets that wait in its rings.</summary>
    public long BacklogOctets => _datapath.Upcalls.BacklogOctets;

    /// <summary>Records of its rings that were no packets.</summary>
    public ulong Malformed => _datapath.Upcalls.MalformedCount;

    /// <summary>Handles what waited in rings of a former agent whose records looked otherwise; before the workers
    /// start.</summary>
    public void HandleUnread(KernelDatapath datapath)
    {
        if (datapath.HandleUnread(Handle) > 0) _datapath.Flush();
    }

    /// <summary>Handles packets that nobody sent, each as a batch of its own.</summary>
    /// <param name="packets">What the kernel would say of them, and their frames.</param>
    public void Rehearse(IReadOnlyList<(Upcall Upcall, byte[] Frame)> packets)
    {
        _gate.Enter(_index);
        foreach ((Upcall upcall, byte[] frame) in packets)
        {
            DatapathRehearsal.Show(upcall, frame, HandleOne);
            HandleBatch(); // of nothing more: its rings are empty
        }

        _gate.Exit(_index);

        void HandleOne(in UpcallFrame upcall)
        {
            Handle(upcall);
            Latency.Add(_datapath.Now - upcall.Time);
        }
    }

    /// <summary>Runs until cancelled.</summary>
    public void Run(CancellationToken stop)
    {
        using CancellationTokenRegistration wake = stop.Register(_datapath.Upcalls.Wake);
        while (!stop.IsCancellationRequested)
        {
            if (!_datapath.Upcalls.HasWaiting)
            {
                _datapath.Upcalls.Wait(IdleWait);
                continue;
            }

            _gate.Enter(_index);
            try
            {
                HandleBatch();
            }
            finally
            {
                _gate.Exit(_index);
            }
        }
    }

    private void HandleBatch()
    {
        int count = 0;
        for (int i = 0; i < BatchMax && _datapath.Upcalls.TryRead(out UpcallFrame upcall); i++)
        {
            if (upcall.Upcall.Kind != UpcallKind.Revalidate) _arrivals[count++] = upcall.Time; // else nothing waits
            Handle(upcall);
        }

        Flush();
        TimeSpan now = _datapath.Now; // a batch is written and sent as a whole
        foreach (TimeSpan arrival in _arrivals.AsSpan(0, count)) Latency.Add(now - arrival);
        _batches++;
    }

    private void Flush()
    {
        try
        {
            _datapath.Flush();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _faults.Packet(fault, []);
        }
    }

    /// <summary>A packet may be an attack: a fault of ours that it finds costs that packet, never the worker.</summary>
    private void Handle(in UpcallFrame upcall)
    {
        try
        {
            SlowPath.Handle(upcall.Upcall, upcall.Frame);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _faults.Packet(fault, upcall.Frame);
        }
    }
}
