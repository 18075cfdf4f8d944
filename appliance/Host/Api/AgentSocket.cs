using System;
using System.Collections.Immutable;
using System.IO;
using System.Linq;

namespace Genkan.Host.Api;

/// <summary>Where agents answer: <c>RUN-DIRECTORY/HOST/agent.sock</c>, HTTP over a Unix socket.</summary>
public static class AgentSocket
{
    /// <summary>Environment variable that names the run directory.</summary>
    public const string RunDirectoryVariable = "GENKAN_RUN_DIRECTORY";

    /// <summary>The run directory unless the variable says otherwise.</summary>
    public const string DefaultRunDirectory = "/run/genkan";

    private const string FileName = "agent.sock";

    /// <summary>The run directory of this process.</summary>
    public static string RunDirectory()
    {
        string? named = Environment.GetEnvironmentVariable(RunDirectoryVariable);
        return string.IsNullOrEmpty(named) ? DefaultRunDirectory : named;
    }

    /// <summary>The socket of a host's agent.</summary>
    /// <param name="runDirectory">Run directory.</param>
    /// <param name="host">Name of the host.</param>
    public static string PathOf(string runDirectory, string host) => Path.Combine(runDirectory, host, FileName);

    /// <summary>
    /// Hosts that have a socket in a run directory, in order; whether an agent still answers is not asked.
    /// </summary>
    /// <param name="runDirectory">Run directory; may be absent.</param>
    public static ImmutableArray<string> Hosts(string runDirectory)
    {
        if (!Directory.Exists(runDirectory)) return [];
        return
        [
            .. Directory.EnumerateDirectories(runDirectory)
                .Where(static directory => File.Exists(Path.Combine(directory, FileName)))
                .Select(static directory => Path.GetFileName(directory))
                .Order(StringComparer.Ordinal),
        ];
    }
}
