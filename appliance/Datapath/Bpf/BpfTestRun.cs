using System;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>What a program did with a crafted packet.</summary>
/// <param name="Verdict">Its return value (TC_ACT_*, TCX_*).</param>
/// <param name="Packet">The packet as it left it.</param>
/// <param name="Context">__sk_buff as it left it.</param>
/// <param name="Duration">Mean time of a run.</param>
public readonly record struct BpfTestResult(int Verdict, byte[] Packet, SkBuffContext Context, TimeSpan Duration);

/// <summary>BPF_PROG_TEST_RUN: runs a program on a crafted packet, which goes nowhere.</summary>
public static unsafe class BpfTestRun
{
    /// <summary>
    /// Octets of the longest packet that test-run can give back here, a GSO packet with room to grow.
    /// </summary>
    public const int PacketSizeMax = 70 * 1024;

    /// <summary>Runs <paramref name="program"/>.</summary>
    /// <param name="program">Program of type sched_cls.</param>
    /// <param name="packet">Ethernet frame, at least 14 octets.</param>
    /// <param name="context">__sk_buff before the run.</param>
    /// <param name="repeat">How often; more than once only to measure.</param>
    /// <exception cref="KernelException">The kernel refused the packet or the context.</exception>
    public static BpfTestResult Run(
        BpfProgram program, ReadOnlySpan<byte> packet, in SkBuffContext context = default, int repeat = 1)
    {
        byte[] output = new byte[Math.Max(PacketSizeMax, packet.Length)];
        SkBuffContext after = default;
        fixed (byte* packetAt = packet)
        fixed (byte* outputAt = output)
        fixed (SkBuffContext* contextAt = &context)
        {
            TestRunAttributes attributes = new()
            {
                ProgFd = (uint)program.Fd.Value,
                DataIn = packetAt,
                DataSizeIn = (uint)packet.Length,
                DataOut = outputAt,
                DataSizeOut = (uint)output.Length,
                Repeat = (uint)repeat,
                ContextIn = contextAt,
                ContextSizeIn = (uint)sizeof(SkBuffContext),
                ContextOut = &after,
                ContextSizeOut = (uint)sizeof(SkBuffContext),
            };
            BpfSyscall.Demand(BpfCommand.ProgTestRun, ref attributes, program.Name);
            GC.KeepAlive(program);
            return new BpfTestResult(
                (int)attributes.ReturnValue,
                output[..(int)attributes.DataSizeOut],
                after,
                TimeSpan.FromMicroseconds(attributes.Duration / 1000.0)); // the kernel counts in ns
        }
    }
}
