using Genkan.Datapath.Tables;

namespace Genkan.Host.Agent;

/// <summary>How the operator wants programs hooked into interfaces.</summary>
public enum AttachChoice
{
    /// <summary>tcx where the kernel has it (6.6), else clsact.</summary>
    Auto,

    /// <summary>tcx links.</summary>
    Tcx,

    /// <summary>A cls_bpf filter with direct action.</summary>
    Clsact,
}

/// <summary>What <c>genkan run</c> was asked for; the agent's entry takes it.</summary>
/// <param name="ConfigPath">The topology file.</param>
/// <param name="HostName">
/// Which host of the file this is; null for what the file says (<c>host:</c>), else its only host.
/// </param>
/// <param name="PinDirectory">A directory on a bpffs; the host's pins stand in a folder of its name below it.</param>
/// <param name="RunDirectory">
/// Parent of the directory of the agent's socket, see <see cref="Genkan.Host.Api.AgentSocket"/>.
/// </param>
/// <param name="Attach">How programs are hooked in.</param>
/// <param name="Workers">Threads that handle packets, 1 to <see cref="DatapathLimits.WorkersMax"/>.</param>
/// <param name="Connections">
/// Entries of the IPv4 connection table, <see cref="TableSizes.ConnectionsMin"/> to
/// <see cref="TableSizes.ConnectionsMax"/>; null: by the machine's memory.
/// </param>
public sealed record AgentOptions(
    string ConfigPath,
    string? HostName,
    string PinDirectory,
    string RunDirectory,
    AttachChoice Attach,
    int Workers,
    uint? Connections = null);
