using System;
using System.Diagnostics;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Traffic;

/// <summary>Sends frames from a VM's interface as fast as one core can, which also forwards and sinks them.</summary>
internal sealed class FrameGenerator
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(1_500);

    private readonly Lab _lab;
    private readonly string _role;
    private readonly int _interfaceIndex;
    private readonly byte[] _bursts;

    /// <summary>Builds the bursts, and has the sender's kernel cut them before its interface.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="role">Namespace of the sender.</param>
    /// <param name="interfaceName">Its interface.</param>
    /// <param name="bursts">What it sends.</param>
    /// <param name="flowCount">Flows, sent by turns.</param>
    internal FrameGenerator(Lab lab, string role, string interfaceName, UdpBursts bursts, int flowCount)
    {
        (_lab, _role, _interfaceIndex) = (lab, role, lab.InterfaceIndex(role, interfaceName));
        lab.Run(role, $"ethtool -K {interfaceName} gso off tx-udp-segmentation off");
        int batchCount = (flowCount + FrameSender.BatchMax - 1) / FrameSender.BatchMax;
        _bursts = bursts.Build(flowCount, batchCount * FrameSender.BatchMax);
    }

    /// <summary>Sends each burst once, without measuring.</summary>
    internal void SendOnce()
    {
        using NetworkNamespace space = _lab.Open(_role);
        space.Run(() =>
        {
            using FrameSender sender = new(_interfaceIndex, _bursts);
            for (int sent = 0; sent < _bursts.Length / UdpBursts.BurstSize; sent += FrameSender.BatchMax) sender.Send();
        });
    }

    /// <summary>Millions of frames that reach the sink for each second of the core's time.</summary>
    /// <param name="sink">Where they end.</param>
    /// <param name="answers">What the other side sends back after the warm-up, or null.</param>
    internal double Measure(Sink sink, FrameGenerator? answers = null)
    {
        using NetworkNamespace space = _lab.Open(_role);
        return space.Run(() =>
        {
            Core.BindThisThread();
            using FrameSender sender = new(_interfaceIndex, _bursts);
            SendFor(sender, WarmUp);
            answers?.SendOnce();
            (long count, TimeSpan time) = (sink.Count(), Core.TimeOfThisThread());
            SendFor(sender, Window);
            (count, time) = (sink.Count() - count, Core.TimeOfThisThread() - time);
            if (count == 0) throw new InvalidOperationException("no frame reached the sink");
            return count / time.TotalSeconds / 1e6;
        });
    }

    private static void SendFor(FrameSender sender, TimeSpan duration)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration;) sender.Send();
    }
}
