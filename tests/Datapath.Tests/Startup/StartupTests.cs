using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tests.Interop;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Startup;

public sealed class StartupTests : IDisposable
{
    private const int Loopback = 1;

    private readonly Netns _netns = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("genkan-test-").FullName;
    private readonly string _mountPoint;

    public StartupTests()
    {
        _mountPoint = Path.Combine(_directory, "bpf");
        BpfFileSystem.EnsureMounted(_mountPoint).ShouldBeTrue();
    }

    public void Dispose()
    {
        BpfFileSystem.Unmount(_mountPoint);
        Directory.Delete(_directory, recursive: true);
        _netns.Dispose();
    }

    [Fact]
    public void A_bpffs_is_mounted_once_and_pin_directories_come_and_go_on_it()
    {
        string pins = Path.Combine(_mountPoint, "genkan", "hv1");
        BpfFileSystem.EnsureMounted(_mountPoint).ShouldBeFalse();
        BpfFileSystem.CreatePinDirectory(pins);
        using (BpfMap map = BpfMap.Create(new BpfMapSpec("pinned", BpfMapType.Array, 4, 8, 1)))
        {
            map.Pin(Path.Combine(pins, "pinned"));
        }

        using (BpfMap? again = BpfMap.TryOpenPinned(Path.Combine(pins, "pinned")))
        {
            again.ShouldNotBeNull().Spec.Name.ShouldBe("pinned");
        }
        BpfFileSystem.RemovePinDirectory(pins).ShouldBeTrue();
        BpfMap.TryOpenPinned(Path.Combine(pins, "pinned")).ShouldBeNull();
        BpfFileSystem.RemovePinDirectory(pins).ShouldBeFalse();
    }

    [Fact]
    public void A_pin_directory_on_another_file_system_is_refused_with_advice() =>
        Should.Throw<KernelException>(() => BpfFileSystem.CreatePinDirectory(Path.Combine(_directory, "plain")))
            .Message.ShouldContain("It is on no bpffs: choose one under /sys/fs/bpf.");

    [Fact]
    public void A_second_agent_on_the_same_host_learns_who_is_the_first()
    {
        string path = Path.Combine(_directory, "run", "agent.lock");
        HostLock.TryTake(path, out HostLock? first, out _).ShouldBeTrue();

        HostLock.TryTake(path, out _, out string? problem).ShouldBeFalse();

        problem.ShouldBe(
            $"Another agent (process {Environment.ProcessId}) already runs on this host and holds {path}. "
            + "Stop it first: two agents would undo each other's flows.");
        first.Dispose();
        HostLock.TryTake(path, out HostLock? second, out _).ShouldBeTrue();
        second.Dispose();
    }

    [Fact]
    public void The_probe_finds_everything_here_and_leaves_nothing_behind()
    {
        IReadOnlyList<KernelFinding> findings = _netns.Run(KernelProbe.Run);

        findings.Where(f => !f.IsPresent).ShouldBeEmpty();
        findings.Select(f => f.Name).ShouldBe(
        [
            "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_PERFMON", "CAP_BPF", "BTF", "mmapable arrays", "ring buffer",
            "bpf_redirect_peer", "VXLAN with group policy", "tcx",
        ]);
        _netns.Run(() =>
        {
            using RouteSocket route = new();
            route.ListLinks().ShouldAllBe(l => l.Kind != "vxlan");
        });
    }

    [Theory]
    [InlineData(AttachMode.Tcx)]
    [InlineData(AttachMode.Clsact)]
    public void A_program_outlives_its_agent_and_the_next_one_replaces_it(AttachMode mode) => _netns.Run(() =>
    {
        string pins = Path.Combine(_mountPoint, "links");
        using BpfProgramSet set = BpfProgramSet.Load(InteropProgram.Options);
        using (ProgramAttacher first = new(pins, mode))
        {
            first.FindProgramId(Loopback, TcxHook.Ingress).ShouldBeNull();
            first.Detach(Loopback, TcxHook.Ingress).ShouldBeFalse();
            first.Attach(Loopback, TcxHook.Ingress, set.Program("interop"));
            first.Attach(Loopback, TcxHook.Egress, set.Program("interop"));
        }

        using ProgramAttacher second = new(pins, mode);
        second.FindProgramId(Loopback, TcxHook.Ingress).ShouldBe(set.Program("interop").Id);
        second.Attach(Loopback, TcxHook.Ingress, set.Program("shot"));
        second.FindProgramId(Loopback, TcxHook.Ingress).ShouldBe(set.Program("shot").Id);
        second.FindProgramId(Loopback, TcxHook.Egress).ShouldBe(set.Program("interop").Id);
        second.Detach(Loopback, TcxHook.Ingress).ShouldBeTrue();
        second.FindProgramId(Loopback, TcxHook.Ingress).ShouldBeNull();
        second.Detach(Loopback, TcxHook.Egress).ShouldBeTrue();
    });

    [Fact]
    public void The_link_of_an_interface_that_is_gone_is_thrown_away() => _netns.Run(() =>
    {
        using RouteSocket route = new();
        using BpfProgramSet set = BpfProgramSet.Load(InteropProgram.Options);
        using ProgramAttacher attacher = new(Path.Combine(_mountPoint, "links"));
        route.CreateVeth(new VethEnd("left"), new VethEnd("right"));
        int ifindex = route.FindLink("left").ShouldNotBeNull().Ifindex;
        attacher.Attach(ifindex, TcxHook.Ingress, set.Program("interop"));
        attacher.ListPinned().ShouldBe([(ifindex, TcxHook.Ingress)]);

        route.DeleteLink(ifindex);

        attacher.FindProgramId(ifindex, TcxHook.Ingress).ShouldBeNull();
        attacher.ListPinned().ShouldBeEmpty();
    });

    [Fact]
    public void Pinned_maps_are_adopted_with_their_content_by_the_next_agent()
    {
        BpfProgramSetOptions options = InteropProgram.Options with { PinDirectory = Path.Combine(_mountPoint, "maps") };
        BpfFileSystem.CreatePinDirectory(options.PinDirectory);
        using (BpfProgramSet first = BpfProgramSet.Load(options))
        {
            first.AdoptedMaps.ShouldBeEmpty();
            first.Table<uint, ulong>("marks").Update(7, 70).ShouldBe(Errno.None);
        }

        using BpfProgramSet second = BpfProgramSet.Load(options);

        second.AdoptedMaps.Order(StringComparer.Ordinal).ShouldBe(["marks", "rings", "settings", "statistics"]);
        second.Table<uint, ulong>("marks").TryLookup(7, out ulong value).ShouldBeTrue();
        value.ShouldBe(70ul);
        BpfTestRun.Run(second.Program("interop"), InteropProgram.Frame, new SkBuffContext { Mark = 7 })
            .Verdict.ShouldBe(0);
    }

    [Fact]
    public void A_pinned_map_of_another_layout_is_refused_and_shown()
    {
        BpfProgramSetOptions options = InteropProgram.Options with { PinDirectory = Path.Combine(_mountPoint, "maps") };
        BpfFileSystem.CreatePinDirectory(options.PinDirectory);
        using (BpfMap other = BpfMap.Create(new BpfMapSpec("marks", BpfMapType.Hash, 4, 16, 64)))
        {
            other.Pin(Path.Combine(options.PinDirectory, "marks"));
        }

        KernelException fault = Should.Throw<KernelException>(() => BpfProgramSet.Load(options));

        fault.Message.ShouldContain("reuse map marks");
        fault.Message.ShouldContain("ValueSize = 8");
        fault.Message.ShouldContain("ValueSize = 16");
    }
}
