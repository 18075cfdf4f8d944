using System;
using System.Diagnostics;
using System.Threading;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Traffic;

/// <summary>Sends frames from a VM's interface as fast as one core can, which also forwards and sinks them.</summary>
internal sealed class FrameGenerator
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(1_500);

    /// <summary>Between two batches of new flows: at most 8,000 new flows a second.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <summary>What is on its way through an agent arrives within it.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(200);

    private const int RoundsMax = 5;

    private readonly Lab _lab;
    private readonly string _role;
    private readonly int _interfaceIndex;
    private readonly byte[] _bursts;
    private readonly int _burstCount;
    private readonly int _framesInBurst;

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
        (_burstCount, _framesInBurst) = (batchCount * FrameSender.BatchMax, bursts.FrameCount);
        _bursts = bursts.Build(flowCount, _burstCount);
    }

    /// <summary>Sends each burst once, without measuring.</summary>
    internal void SendOnce()
    {
        using NetworkNamespace space = _lab.Open(_role);
        space.Run(() =>
        {
            using FrameSender sender = MakeSender();
            for (int sent = 0; sent < _burstCount; sent += FrameSender.BatchMax) sender.Send();
        });
    }

    /// <summary>
    /// Sends each burst at a pace that new flows may come at, again and again, until all frames of a round arrive.
    /// </summary>
    /// <param name="sink">Where they end.</param>
    /// <exception cref="InvalidOperationException">After <see cref="RoundsMax"/> rounds some still do not.</exception>
    internal void Establish(Sink sink)
    {
        using NetworkNamespace space = _lab.Open(_role);
        long arrived = 0;
        for (int round = 0; round < RoundsMax; round++)
        {
            long before = sink.Count();
            space.Run(() =>
            {
                using FrameSender sender = MakeSender();
                for (int sent = 0; sent < _burstCount; sent += FrameSender.BatchMax)
                {
                    sender.Send();
                    Thread.Sleep(Pause);
                }
            });
            Thread.Sleep(Settling);
            arrived = sink.Count() - before;
            if (arrived >= (long)_burstCount * _framesInBurst) return;
        }

        throw new InvalidOperationException(
            $"of {_burstCount} flows the sink sees {arrived} frames: not all of them are forwarded");
    }

    /// <summary>Millions of frames that reach the sink for each second of the core's time.</summary>
    /// <param name="sink">Where they end.</param>
    internal double Measure(Sink sink)
    {
        using NetworkNamespace space = _lab.Open(_role);
        return space.Run(() =>
        {
            Core.BindThisThread();
            using FrameSender sender = MakeSender();
            SendFor(sender, WarmUp);
            (long count, TimeSpan time) = (sink.Count(), Core.TimeOfThisThread());
            SendFor(sender, Window);
            (count, time) = (sink.Count() - count, Core.TimeOfThisThread() - time);
            if (count == 0) throw new InvalidOperationException("no frame reached the sink");
            return count / time.TotalSeconds / 1e6;
        });
    }

    private FrameSender MakeSender() => new(_interfaceIndex, _bursts, _bursts.Length / _burstCount);

    private static void SendFor(FrameSender sender, TimeSpan duration)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration;) sender.Send();
    }
}
