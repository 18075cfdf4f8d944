using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Topology;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>The agent of one host: reads the file, brings the data plane up or adopts it, runs until told to
/// stop.</summary>
internal static partial class AgentHost
{
    /// <summary>Runs the agent.</summary>
    /// <param name="options">What <c>genkan run</c> was asked for.</param>
    /// <param name="stop">Ends the agent; the kernel goes on forwarding.</param>
    /// <returns>The exit code of the process: 0 after a stop, 1 if it could not start (said on standard
    /// error).</returns>
    public static async Task<int> RunAsync(AgentOptions options, CancellationToken stop)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(static builder => builder.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        }).AddFilter("Microsoft", LogLevel.Warning));
        ILogger logger = loggers.CreateLogger("genkan");

        // Reports and reloads allocate, packets do not: their garbage is collected beside the workers, not before them.
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        try
        {
            using AgentRuntime runtime = Start(options, loggers, logger);
            await ServeAsync(runtime, loggers, logger, stop);
            LogStopped(logger, runtime.Topology.LocalHost.Name);
            return 0;
        }
        catch (Exception fault) when (
            fault is DatapathException or KernelException or ConfigurationException or IOException
            or UnauthorizedAccessException)
        {
            // The operator's or the machine's fault: one clear message, no stack.
            Console.Error.WriteLine($"genkan: {fault.Message}");
            return 1;
        }
    }

    private static async Task ServeAsync(
        AgentRuntime runtime, ILoggerFactory loggers, ILogger logger, CancellationToken stop)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);

        string[] faults = [.. runtime.Loop.Datapath.Faults]; // the loop's thread writes them from now on

        // Ports are bound: packets come. Operators, for whom a server has to start first, wait better than they.
        Task running = runtime.RunAsync(end.Token);
        try
        {
            await using ApiServer api = await ApiServer.StartAsync(runtime, loggers, stop);
            using IDisposable reload = ReloadSignal.Register(() => ReloadOnSignalAsync(runtime, logger));
            LogReady(logger, runtime.Topology.LocalHost.Name, runtime.Topology.LocalPorts.Length, runtime.SocketPath);
            foreach (string fault in faults) LogFault(logger, fault);
            await running;
        }
        finally
        {
            await end.CancelAsync();
            await running; // its threads use what is disposed of next
        }
    }

    private static AgentRuntime Start(AgentOptions options, ILoggerFactory loggers, ILogger logger)
    {
        LoadedTopology loaded = TopologyLoader.Load(options.ConfigPath, options.HostName, revision: 1);
        TopologySnapshot topology = loaded.Snapshot;
        using Rehearsal rehearsal = Rehearsal.Begin(loggers.CreateLogger("genkan.rehearsal"));
        KernelDatapath datapath = KernelDatapath.Start(new KernelDatapathOptions
        {
            HostName = topology.LocalHost.Name,
            UnderlayAddress = topology.LocalHost.UnderlayAddress,
            VxlanPort = loaded.VxlanPort,
            PinRoot = options.PinDirectory,
            RunDirectory = options.RunDirectory,
            Workers = options.Workers,
            Sizes = options.Connections is { } connections ? TableSizes.Of(connections) : null,
            Attach = options.Attach switch
            {
                AttachChoice.Tcx => AttachMode.Tcx,
                AttachChoice.Clsact => AttachMode.Clsact,
                _ => null,
            },
        });
        try
        {
            rehearsal.End(); // the first packets may come as soon as ports are bound
            loaded = loaded.LimitMtu(datapath.TenantMtuMax);
            foreach (string warning in loaded.Warnings) LogFault(logger, warning);
            int held = datapath.ConnectionsMaxOf(isIpv4: true);
            if (options.Connections is { } asked && asked != held)
                LogSizeKept(logger, held, asked, topology.LocalHost.Name);
            return new AgentRuntime(options, loaded, datapath, loggers.CreateLogger("genkan.agent"));
        }
        catch
        {
            datapath.Dispose();
            throw;
        }
        finally
        {
            if (datapath.IsAdopted) LogAdopted(logger, topology.LocalHost.Name);
            if (datapath.MigratedTables.Count > 0)
                LogMigrated(logger, topology.LocalHost.Name, datapath.MigratedTables);
        }
    }

    private static async Task ReloadOnSignalAsync(AgentRuntime runtime, ILogger logger)
    {
        try
        {
            await runtime.ReloadAsync();
        }
        catch (Exception fault) when (fault is ConfigurationException or IOException or UnauthorizedAccessException
            or InvalidOperationException or KernelException or DatapathException)
        {
            LogReloadFailed(logger, fault.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Agent of {Host} is ready: {Ports} ports, socket {Socket}.")]
    private static partial void LogReady(ILogger logger, string host, int ports, string socket);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Host {Host}: took over the tables of the previous agent; its flows went on.")]
    private static partial void LogAdopted(ILogger logger, string host);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Host {Host}: the tables of the previous agent looked otherwise; carried over by the names of their "
            + "fields: {Tables}.")]
    private static partial void LogMigrated(ILogger logger, string host, IReadOnlyList<string> tables);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The tables of the previous agent hold {Held} IPv4 entries and keep that size, not {Asked}. To "
            + "change it, which ends all connections: stop the agent, genkan --host {Host} host remove, start it.")]
    private static partial void LogSizeKept(ILogger logger, int held, uint asked, string host);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Fault}")]
    private static partial void LogFault(ILogger logger, string fault);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Agent of {Host} stops; the kernel goes on forwarding, but after 10 s not between external segments "
            + "until an agent runs.")]
    private static partial void LogStopped(ILogger logger, string host);

    [LoggerMessage(Level = LogLevel.Error, Message = "Reload refused, nothing was changed: {Reason}")]
    private static partial void LogReloadFailed(ILogger logger, string reason);
}
