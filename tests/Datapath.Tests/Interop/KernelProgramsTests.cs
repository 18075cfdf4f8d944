using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Interop;

/// <summary>Whatever is compiled into the product is accepted by this kernel's verifier.</summary>
public sealed class KernelProgramsTests
{
    public static TheoryData<string> Objects =>
    [
        .. typeof(BpfProgram).Assembly.GetManifestResourceNames()
            .Where(n => n.EndsWith(".bpf.o", StringComparison.Ordinal)),
    ];

    [Theory]
    [MemberData(nameof(Objects))]
    public void The_kernel_takes_every_embedded_object(string resource)
    {
        Netns.DemandRoot();
        using BpfObject bpfObject = BpfObject.OpenResource(typeof(BpfProgram).Assembly, resource);

        bpfObject.Load();

        bpfObject.ProgramNames.ShouldNotBeEmpty();
    }
}
