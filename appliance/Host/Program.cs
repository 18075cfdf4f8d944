using System;
using System.CommandLine;
using System.Threading.Tasks;
using Genkan.Host.Agent;
using Genkan.Host.Api;
using Genkan.Host.Cli;

namespace Genkan.Host;

internal static class Program
{
    private static Task<int> Main(string[] arguments)
    {
        CliContext context = new(Console.Out, Console.Error, !Console.IsOutputRedirected, AgentSocket.RunDirectory());
        RootCommand root = GenkanCommand.Create(context, AgentHost.RunAsync);
        return GenkanCommand.InvokeAsync(root, context, arguments);
    }
}
