using System;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Interop;

public sealed class BpfProgramSetTests
{
    public BpfProgramSetTests() => Netns.DemandRoot();

    [Fact]
    public void A_program_runs_on_a_crafted_packet_and_its_maps_show_it()
    {
        using BpfProgramSet set = BpfProgramSet.Load(InteropProgram.Options);
        using MmapArray<InteropProgram.Setting> settings = new(set.Map("settings"));
        settings[0].Add = 7;

        BpfTestResult result = BpfTestRun.Run(
            set.Program("interop"), InteropProgram.Frame, new SkBuffContext { Mark = 42 });

        result.Verdict.ShouldBe(0);
        result.Packet.ShouldBe(InteropProgram.Frame);
        result.Context.Mark.ShouldBe(42u);
        result.Context.Cb[0].ShouldBe(7u);
        result.Context.Cb[4].ShouldBe(0u);
        set.Table<uint, ulong>("marks").TryLookup(42, out ulong sum).ShouldBeTrue();
        sum.ShouldBe(7ul);
        new PerCpuArray<InteropProgram.Counts>(set.Map("statistics")).Read(0, out InteropProgram.Counts counts);
        counts.ShouldBe(new InteropProgram.Counts(1, (ulong)InteropProgram.Frame.Length));
    }

    [Fact]
    public void The_test_variant_is_another_object()
    {
        using BpfProgramSet set = BpfProgramSet.Load(InteropProgram.Options with { TestVariant = true });

        BpfTestRun.Run(set.Program("interop"), InteropProgram.Frame).Context.Cb[4].ShouldBe(0x7e57u);
    }

    [Fact]
    public void A_table_gets_the_size_that_is_asked_for()
    {
        using BpfProgramSet set = BpfProgramSet.Load(InteropProgram.Options with
        {
            MaxEntries = new Dictionary<string, uint>(StringComparer.Ordinal) { ["marks"] = 5 },
        });

        set.Map("marks").Spec.MaxEntries.ShouldBe(5u);
    }

    [Fact]
    public void An_object_that_is_none_is_refused_with_libbpf_s_words() =>
        Should.Throw<KernelException>(() => BpfObject.Open("no elf at all"u8, "junk"))
            .Message.ShouldContain("libbpf: open junk");

    [Fact]
    public void A_program_that_the_verifier_refuses_shows_the_log_s_end()
    {
        using BpfObject broken = BpfObject.OpenResource(typeof(InteropProgram).Assembly, "refused.bpf.o");

        KernelException fault = Should.Throw<KernelException>(broken.Load);

        fault.Error.ShouldBe(Errno.EACCES);
        fault.Message.ShouldContain("bpf(PROG_LOAD refused.bpf.o)");
        fault.Message.ShouldContain("invalid access to packet");
    }
}
