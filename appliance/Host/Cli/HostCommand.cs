using System;
using System.CommandLine;
using System.IO;
using Genkan.Datapath.Native;
using Genkan.Datapath.Tables;
using Genkan.Wire;

namespace Genkan.Host.Cli;

/// <summary><c>genkan host remove</c>: what an agent leaves on purpose when it stops, taken away.</summary>
internal static class HostCommand
{
    public static Command Create(CliContext context, Option<string?> host)
    {
        Option<string> pins = RunCommand.PinsOption();
        Command remove = new(
            "remove", "Take programs, tables and devices of a stopped agent off this host. Its traffic ends.") { pins };
        remove.SetAction(result => Remove(context, result.GetValue(host), result.GetRequiredValue(pins)));
        return new Command("host", "What Genkan has put on this host.") { remove };
    }

    private static int Remove(CliContext context, string? host, string pins)
    {
        if (string.IsNullOrEmpty(host))
        {
            context.Error.WriteLine("genkan: say which host: genkan --host NAME host remove");
            return ExitCodes.Usage;
        }

        try
        {
            KernelDatapath.Remove(new KernelDatapathOptions
            {
                HostName = host,
                UnderlayAddress = IpAddress.Unspecified4,
                PinRoot = pins,
                RunDirectory = context.RunDirectory,
            });
            context.Output.WriteLine($"Genkan's programs, tables and devices of {host} are gone.");
            return ExitCodes.Done;
        }
        catch (Exception fault) when (
            fault is DatapathException or KernelException or IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine($"genkan: {fault.Message}");
            return ExitCodes.Failed;
        }
    }
}
