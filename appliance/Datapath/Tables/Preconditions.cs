using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Genkan.Datapath.Startup;

namespace Genkan.Datapath.Tables;

/// <summary>What the data plane cannot do without, asked of kernel and process before anything is touched.</summary>
internal static class Preconditions
{
    /// <summary>Probes kernel and process.</summary>
    /// <exception cref="DatapathException">Something is missing; the message names all of it, with what to
    /// do.</exception>
    internal static void Demand() => Demand(KernelProbe.Run());

    /// <summary>Judges what a probe found.</summary>
    /// <exception cref="DatapathException">Something required is missing.</exception>
    internal static void Demand(IReadOnlyList<KernelFinding> findings)
    {
        KernelFinding[] missing = [.. findings.Where(f => f is { IsRequired: true, IsPresent: false })];
        if (missing.Length == 0) return;

        // Without its rights a process cannot tell what the kernel has: what else seems missing is a guess.
        KernelFinding[] rights = [.. missing.Where(f => f.Name.StartsWith("CAP_", StringComparison.Ordinal))];
        if (rights.Length > 0) missing = rights;

        StringBuilder message = new("This host cannot carry a data plane:");
        foreach (KernelFinding finding in missing)
        {
            message.Append(Environment.NewLine).Append("  no ").Append(finding.Name).Append(" (for ")
                .Append(finding.Purpose)
                .Append("): ").Append(finding.Advice);
        }

        throw new DatapathException(message.ToString());
    }
}
