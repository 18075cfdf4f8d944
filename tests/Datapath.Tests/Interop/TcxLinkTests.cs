using System;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Interop;

public sealed class TcxLinkTests : IDisposable
{
    private const int Loopback = 1;

    private readonly Netns _netns = new();
    private readonly BpfProgramSet _set = BpfProgramSet.Load(InteropProgram.Options);

    public void Dispose()
    {
        _set.Dispose();
        _netns.Dispose();
    }

    [Fact]
    public void A_link_is_on_its_hook_until_its_descriptor_is_closed() => _netns.Run(() =>
    {
        using (TcxLink link = TcxLink.Attach(_set.Program("interop"), Loopback, TcxHook.Ingress))
        {
            (link.Ifindex, link.Hook).ShouldBe((Loopback, TcxHook.Ingress));
            link.IsAttached().ShouldBeTrue();
            link.ReadProgramId().ShouldBe(_set.Program("interop").Id);
            TcxLink.Query(Loopback, TcxHook.Ingress).ProgramCount.ShouldBe(1);
            TcxLink.Query(Loopback, TcxHook.Egress).ProgramCount.ShouldBe(0);
        }
        TcxLink.Query(Loopback, TcxHook.Ingress).ProgramCount.ShouldBe(0);
    });

    [Fact]
    public void Another_program_takes_the_place_of_the_first_without_a_new_link() => _netns.Run(() =>
    {
        using TcxLink link = TcxLink.Attach(_set.Program("interop"), Loopback, TcxHook.Egress);

        link.Update(_set.Program("shot"));

        link.ReadProgramId().ShouldBe(_set.Program("shot").Id);
        TcxLink.Query(Loopback, TcxHook.Egress).ProgramCount.ShouldBe(1);
    });

    [Fact]
    public void A_choice_made_on_an_older_revision_is_refused_as_stale() => _netns.Run(() =>
    {
        using TcxLink first = TcxLink.Attach(_set.Program("interop"), Loopback, TcxHook.Ingress);
        ulong revision = TcxLink.Query(Loopback, TcxHook.Ingress).Revision;
        using TcxLink second = TcxLink.Attach(
            _set.Program("shot"), Loopback, TcxHook.Ingress, new TcxPosition(TcxPlace.Before, first, revision));

        KernelException fault = Should.Throw<KernelException>(() => TcxLink.Attach(
            _set.Program("shot"), Loopback, TcxHook.Ingress, new TcxPosition(TcxPlace.After, second, revision)));

        fault.Error.ShouldBe(Errno.ESTALE);
    });

    [Fact]
    public void A_detached_link_lives_on_as_an_empty_shell() => _netns.Run(() =>
    {
        using TcxLink link = TcxLink.Attach(_set.Program("interop"), Loopback, TcxHook.Ingress);

        link.Detach();

        link.IsAttached().ShouldBeFalse();
    });

    [Fact]
    public void An_interface_that_is_not_there_is_named() => _netns.Run(() =>
    {
        KernelException fault = Should.Throw<KernelException>(
            () => TcxLink.Attach(_set.Program("interop"), 4711, TcxHook.Ingress));

        fault.Message.ShouldBe(
            "bpf(LINK_CREATE interop on Ingress of interface 4711): ENODEV. "
            + "The interface does not exist in this network namespace.");
    });
}
