using System;
using System.Threading;
using Genkan.Fuzz.Coverage;

namespace Genkan.Fuzz;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        using CancellationTokenSource stop = new();
        Console.CancelKeyPress += (_, e) =>
        {
            // The first one ends the run in order, with its crashes written; the second one ends the process.
            e.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        return InstrumentedContext.Run(arguments, Console.Out, () => stop.IsCancellationRequested);
    }
}
