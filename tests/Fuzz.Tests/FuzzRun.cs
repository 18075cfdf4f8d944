using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;
using Genkan.Fuzz.Coverage;

namespace Genkan.Fuzz.Tests;

/// <summary>The fuzzer over instrumented copies, as its command runs it.</summary>
internal static class FuzzRun
{
    private static readonly Lock Turn = new();

    /// <summary>Runs it; one at a time, since the map of edges is one.</summary>
    public static (int ExitCode, string Said) Of(params string[] arguments)
    {
        lock (Turn)
        {
            using StringWriter output = new(CultureInfo.InvariantCulture);
            int code = InstrumentedContext.Run(arguments, output, static () => false);
            return (code, output.ToString());
        }
    }
}

/// <summary>A folder that goes with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("genkan-fuzz-").FullName;

    public IEnumerable<string> Files => Directory.EnumerateFiles(Path, "*.hex", SearchOption.AllDirectories);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
