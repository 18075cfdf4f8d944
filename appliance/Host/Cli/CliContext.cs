using System;
using System.IO;

namespace Genkan.Host.Cli;

/// <summary>The world as the command line sees it; tests give another.</summary>
/// <param name="Output">Where results go.</param>
/// <param name="Error">Where complaints go.</param>
/// <param name="IsTerminal">
/// Whether a person looks at <paramref name="Output"/>: colour and the terminal's width.
/// </param>
/// <param name="RunDirectory">Where agents have their sockets.</param>
internal sealed record CliContext(TextWriter Output, TextWriter Error, bool IsTerminal, string RunDirectory)
{
    /// <summary>How long an agent may take to answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>What the process returns.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>What was asked for is wrong, e.g. mistakes in a file, or it failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No agent answers.</summary>
    public const int NoAgent = 3;
}
