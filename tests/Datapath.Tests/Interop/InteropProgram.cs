using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;

namespace Genkan.Datapath.Tests.Interop;

/// <summary>The objects of bpf/interop.bpf.c, and their layouts.</summary>
internal static class InteropProgram
{
    public static readonly byte[] Frame = Convert.FromHexString("0200000000010200000000020800" + new string('0', 92));

    public static BpfProgramSetOptions Options => new()
    {
        Assembly = typeof(InteropProgram).Assembly,
        Objects = ["interop"],
    };

    [StructLayout(LayoutKind.Sequential)]
    public struct Setting
    {
        public uint Add;
        public uint Unused;
    }

    [StructLayout(LayoutKind.Sequential)]
    public record struct Counts(ulong Packets, ulong Octets);

    [StructLayout(LayoutKind.Sequential)]
    public record struct Record(uint Len, uint Mark);
}
