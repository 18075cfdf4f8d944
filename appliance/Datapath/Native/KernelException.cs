using System;
using System.Diagnostics.CodeAnalysis;

namespace Genkan.Datapath.Native;

/// <summary>
/// The kernel refused a call that this process cannot do without: a fault of the operator's or of the host at start,
/// never of a packet. The message names the call, the error and what to do.
/// </summary>
[SuppressMessage("Roslynator", "RCS1194", Justification = "A fault without a call and an error cannot be made.")]
public sealed class KernelException : Exception
{
    /// <summary>Makes the fault of <paramref name="call"/>.</summary>
    /// <param name="call">The call and its object, as in <c>bpf(MAP_CREATE conn4)</c>.</param>
    /// <param name="error">What the kernel answered.</param>
    /// <param name="detail">What else is known, such as the verifier's log; may be empty.</param>
    public KernelException(string call, Errno error, string detail = "")
        : base(Describe(call, error, detail)) => (Call, Error, Detail) = (call, error, detail);

    /// <summary>The call and its object.</summary>
    public string Call { get; }

    /// <summary>What the kernel answered.</summary>
    public Errno Error { get; }

    /// <summary>What else is known, such as the verifier's log; may be empty.</summary>
    public string Detail { get; }

    /// <summary>What the operator can do, or an empty string where the error alone must do.</summary>
    public static string Advise(string call, Errno error) => (error, call) switch
    {
        (Errno.EPERM, _) when call.StartsWith("bpf(", StringComparison.Ordinal) =>
            "Run as root, or give the process CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.",
        (Errno.EACCES or Errno.EPERM, _) when call.StartsWith("netlink", StringComparison.Ordinal) =>
            "Run as root, or give the process CAP_NET_ADMIN.",
        (Errno.EPERM, _) when call.StartsWith("packet", StringComparison.Ordinal) =>
            "Run as root, or give the process CAP_NET_RAW.",
        (Errno.EPERM, _) => "Run as root, or give the process the capability that the call needs.",
        (Errno.ENOMEM, _) when call.StartsWith("bpf(", StringComparison.Ordinal) =>
            "Free memory, raise the unit's MemoryMax or RLIMIT_MEMLOCK, or lower the table sizes in the configuration.",
        (Errno.EINVAL or Errno.EOPNOTSUPP, _) when call.StartsWith("bpf(LINK_CREATE", StringComparison.Ordinal) =>
            "The kernel has no tcx (Linux 6.6 or later has it): use the clsact fallback.",
        (Errno.ENOENT or Errno.EINVAL, _) when call.StartsWith("bpf(OBJ_PIN", StringComparison.Ordinal) =>
            "The pin directory must exist on a bpffs: mount -t bpf bpf /sys/fs/bpf.",
        (Errno.EMFILE, _) => "Raise LimitNOFILE of the unit.",
        (Errno.ENODEV, _) => "The interface does not exist in this network namespace.",
        (Errno.ENOSYS, _) => "This kernel was built without the call.",
        _ => "",
    };

    private static string Describe(string call, Errno error, string detail)
    {
        string advice = Advise(call, error);
        return $"{call}: {error}."
            + (detail.Length == 0 ? "" : $" {detail.TrimEnd()}")
            + (advice.Length == 0 ? "" : $" {advice}");
    }
}
