using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>Linux and Genkan, side by side as the same world.</summary>
internal sealed class Judges : IDisposable
{
    private readonly Fence _fence = new();
    private readonly GenkanForwarder _genkan;
    private LinuxForwarder? _linux;
    private JudgedWorld? _world;

    private readonly ImmutableArray<Difference> _rules;
    private PublicPorts? _ports;

    /// <summary>Makes both, without a world.</summary>
    /// <param name="rules">By which the two may differ.</param>
    public Judges(ImmutableArray<Difference> rules) => (_rules, _genkan) = (rules, new GenkanForwarder(_fence));

    /// <summary>Packets that the agent decided so far; the programs decided the others.</summary>
    public ulong Upcalls => _genkan.Upcalls;

    /// <summary>What Genkan dropped in this world, by reason.</summary>
    public IEnumerable<string> Drops() => _genkan.Drops();

    /// <summary>Has both become a world.</summary>
    /// <returns>As <see cref="GenkanForwarder.TryBecome"/>.</returns>
    public bool TryBecome(JudgedWorld world)
    {
        if (!_genkan.TryBecome(world)) return false;
        _linux?.Dispose();
        _world = world;
        _linux = new LinuxForwarder(world, _fence);
        _ports = world.Outside is { IsSnatEnabled: true } outside ? new PublicPorts(outside.Address4) : null;
        return true;
    }

    /// <summary>Gives a packet to both.</summary>
    public JudgedCase Judge(JudgedPacket packet, int turn)
    {
        _genkan.Pass(_world!.Tenant, packet);
        List<Arrival> linux = Forward(_linux!, packet, turn);
        JudgedPacket toGenkan = _ports is null ? packet : packet with { Frame = _ports.ForGenkan(packet.Frame) };
        List<Arrival> genkan = Forward(_genkan, toGenkan, turn);
        if (_world!.Outside is not null) (linux, genkan) = (Pieces.Together(linux), Pieces.Together(genkan));
        if (_ports is not null) genkan = _ports.AsLinux(packet, linux, genkan);
        return new JudgedCase(_world, packet, turn, linux, genkan, _rules);
    }

    private static List<Arrival> Forward(IForwarder judge, JudgedPacket packet, int turn)
    {
        List<Arrival> arrivals = [];
        foreach (byte[] frame in packet.FramesOf(turn)) arrivals.AddRange(judge.Forward(packet.From.Name, frame));
        return arrivals;
    }

    /// <summary>
    /// Runs a function on a thread of its own that stays on one CPU, as <see cref="Fence"/> wants it.
    /// </summary>
    public static void OnOneCpu(Action function)
    {
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                Bind();
                function();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
    }

    public void Dispose()
    {
        _linux?.Dispose();
        _genkan.Dispose();
        _fence.Dispose();
    }

    private static unsafe void Bind()
    {
        const int maskWords = 16; // 1,024 CPUs
        ulong* mask = stackalloc ulong[maskWords];
        new Span<ulong>(mask, maskWords).Clear();
        int cpu = Environment.ProcessorCount - 1;
        mask[cpu / 64] = 1UL << (cpu % 64);
        long setAffinity = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 203 : 122;
        if (Libc.Syscall(setAffinity, 0, (void*)(maskWords * sizeof(ulong)), (long)mask) < 0)
            throw new KernelException($"bind a thread to CPU {cpu}", Libc.LastError);
    }
}
