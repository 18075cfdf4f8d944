using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;

namespace Genkan.Datapath.Startup;

/// <summary>
/// Finds out what this kernel and this process can do, by doing it: each probe makes one small object and lets it go.
/// Runs in the network namespace of the calling thread.
/// </summary>
public static class KernelProbe
{
    private const int Loopback = 1; // in every namespace
    private const string ProbeLinkName = "genkan-probe";
    private const ushort ProbeUdpPort = 65534;

    private const ulong MoveOneToR1 = 0x00000001_0000_01B7;
    private const ulong MoveZeroToR2 = 0x00000000_0000_02B7;
    private const ulong MoveZeroToR0 = 0x00000000_0000_00B7;
    private const ulong CallRedirectPeer = 0x0000009B_0000_0085; // helper 155
    private const ulong Exit = 0x00000000_0000_0095;

    private static readonly (string Name, int Bit, string Purpose)[] Capabilities =
    [
        ("CAP_NET_ADMIN", 12, "attaching programs, links, routes"),
        ("CAP_NET_RAW", 13, "sending frames back into the kernel"),
        ("CAP_PERFMON", 38, "loading programs that read packets by pointers"),
        ("CAP_BPF", 39, "tables and programs"),
    ];

    private const int CapSysAdmin = 21; // held CAP_BPF and CAP_PERFMON in former kernels, and is still taken for them

    /// <summary>Runs all probes.</summary>
    public static IReadOnlyList<KernelFinding> Run()
    {
        List<KernelFinding> findings = [];
        ulong effective = ReadEffectiveCapabilities();
        foreach ((string name, int bit, string purpose) in Capabilities)
        {
            bool has = Has(effective, bit) || (bit > CapSysAdmin && Has(effective, CapSysAdmin));
            findings.Add(new KernelFinding(
                name, has, IsRequired: true, purpose, has ? "" : $"Run as root, or give the process {name}."));
        }
        findings.Add(Find(
            "BTF", true, "matching programs to this kernel", "Use a kernel with CONFIG_DEBUG_INFO_BTF.", FindBtf));
        findings.Add(Find(
            "mmapable arrays", true, "generations and next hops without system calls", "Use Linux 5.5 or later.",
            FindMmapableArrays));
        findings.Add(Find(
            "ring buffer", true, "packets from the kernel to the agent", "Use Linux 5.8 or later.", FindRingBuffers));
        findings.Add(Find(
            "bpf_redirect_peer", false, "the short way into a container", "Use Linux 5.10 or later.",
            FindRedirectPeer));
        findings.Add(Find(
            "VXLAN with group policy", true, "tunnels between hosts", "Use a kernel with CONFIG_VXLAN.",
            FindGroupPolicyVxlan));
        findings.Add(Find(
            "tcx", false, "programs that stay attached without a qdisc",
            "The clsact qdisc is used instead; Linux 6.6 or later has tcx.", FindTcx));
        return findings;
    }

    /// <summary>Whether the kernel has tcx.</summary>
    public static bool HasTcx()
    {
        try
        {
            FindTcx();
            return true;
        }
        catch (KernelException)
        {
            return false; // whatever the reason, the fallback's own error tells more than this one
        }
    }

    private static KernelFinding Find(string name, bool isRequired, string purpose, string advice, Action probe)
    {
        try
        {
            probe();
            return new KernelFinding(name, IsPresent: true, isRequired, purpose, Advice: "");
        }
        catch (KernelException e)
        {
            return new KernelFinding(name, IsPresent: false, isRequired, purpose, $"{advice} ({e.Message})");
        }
    }

    private static void FindTcx() => TcxLink.Query(Loopback, TcxHook.Ingress);

    private static void FindBtf()
    {
        const string path = "/sys/kernel/btf/vmlinux";
        if (!File.Exists(path)) throw new KernelException($"open({path})", Errno.ENOENT);
    }

    private static void FindMmapableArrays()
    {
        using BpfMap map = BpfMap.Create(new BpfMapSpec("probe", BpfMapType.Array, 4, 8, 1, BpfMapFlags.Mmapable));
        using MmapArray<ulong> array = new(map);
    }

    private static void FindRingBuffers() =>
        BpfMap.Create(new BpfMapSpec("probe", BpfMapType.RingBuffer, 0, 0, (uint)Environment.SystemPageSize)).Dispose();

    private static void FindRedirectPeer() =>
        BpfProgram.Load([MoveOneToR1, MoveZeroToR2, CallRedirectPeer, MoveZeroToR0, Exit], "probe").Dispose();

    private static void FindGroupPolicyVxlan()
    {
        using RouteSocket route = new();
        if (route.FindLink(ProbeLinkName) is { } left) route.DeleteLink(left.Ifindex); // by a probe that was killed
        route.CreateVxlan(new VxlanDevice(ProbeLinkName, ProbeUdpPort, 1500));         // down: it opens no UDP port
        if (route.FindLink(ProbeLinkName) is { } made) route.DeleteLink(made.Ifindex);
    }

    private static bool Has(ulong capabilities, int bit) => ((capabilities >> bit) & 1) != 0;

    private static ulong ReadEffectiveCapabilities()
    {
        const string field = "CapEff:";
        foreach (string line in File.ReadLines("/proc/thread-self/status"))
        {
            if (!line.StartsWith(field, StringComparison.Ordinal)) continue;
            return ulong.Parse(line.AsSpan(field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        return 0;
    }
}
