namespace Genkan.Datapath.Startup;

/// <summary>One thing that the data plane wants of the kernel or of the process.</summary>
/// <param name="Name">What, such as <c>tcx</c> or <c>CAP_NET_ADMIN</c>.</param>
/// <param name="IsPresent">Whether it is there.</param>
/// <param name="IsRequired">Whether nothing works without it.</param>
/// <param name="Purpose">What it is wanted for.</param>
/// <param name="Advice">
/// What to do if it is not there, with the kernel's answer where there was one; empty if it is.
/// </param>
public sealed record KernelFinding(string Name, bool IsPresent, bool IsRequired, string Purpose, string Advice);
