using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Control.Model;
using Genkan.Datapath.Tables;
using Genkan.Host.Api;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>The parts of a running agent, and what other threads may ask of it.</summary>
internal sealed class AgentRuntime : IDisposable
{
    private readonly AgentOptions _options;
    private readonly AgentLoop _loop;
    private readonly KernelDatapath _datapath;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly SemaphoreSlim _reloading = new(1);

    public AgentRuntime(AgentOptions options, LoadedTopology loaded, KernelDatapath datapath, ILogger logger)
    {
        _options = options;
        _datapath = datapath;
        TopologyWarnings = loaded.Warnings;
        PeerMtus = new PeerMtuProber(datapath, () => Topology, logger);
        Classes = new FlowClasses();

        // Ports, hashes and identifications of translations must not be guessable from outside (RFC 6056 §3.3), nor the
        // same after a restart; nor may one tell of the other.
        // What comes for the tunnels' port never gets past an uplink, so an answer to it would not either.
        NatTable nat = new(new NatLimits { WithheldUdpPort = loaded.VxlanPort }, NatTimeouts.Default, NewSeed());
        SlowPath slowPath = new(datapath, nat, Classes, loaded.Snapshot, NewSeed());
        _loop = new AgentLoop(datapath, slowPath, nat, Classes, logger);
        datapath.IsDirectWanted = loaded.Encapsulation == Encapsulation.Direct;
        datapath.Apply(loaded.Snapshot);
        if (datapath.IsAdopted) _loop.AdoptConnections();
        _loop.Workers[0].HandleUnread(datapath);
    }

    public FlowClasses Classes { get; }

    /// <summary>What the loader said of the topology in force.</summary>
    public IReadOnlyList<string> TopologyWarnings { get; private set; }

    /// <summary>What the paths to the other hosts carry.</summary>
    public PeerMtuProber PeerMtus { get; }

    public AgentLoop Loop => _loop;

    public AgentOptions Options => _options;

    public TopologySnapshot Topology => _loop.SlowPath.Topology;

    public TimeSpan Uptime => Stopwatch.GetElapsedTime(_startedAt);

    public string SocketPath => AgentSocket.PathOf(_options.RunDirectory, Topology.LocalHost.Name);

    /// <summary>Runs the loop and the workers on threads of their own until the stop; the first fault of one ends all,
    /// and is thrown here.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        List<Task> threads =
            [StartThread("agent", _loop.Run, end), StartThread("path-mtu", PeerMtus.Run, end)];
        for (int i = 0; i < _loop.Workers.Count; i++)
        {
            threads.Add(StartThread(string.Create(CultureInfo.InvariantCulture, $"packets-{i}"),
                _loop.Workers[i].Run, end));
        }

        await Task.WhenAll(threads);
    }

    private static ulong NewSeed() =>
        BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)));

    private static Task StartThread(string name, Action<CancellationToken> run, CancellationTokenSource end)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                run(end.Token);
                ended.SetResult();
            }
            catch (Exception fault)
            {
                ended.SetException(fault);
                end.Cancel();
            }
        })
        {
            Name = name,
            IsBackground = true,
        };
        thread.Start();
        return ended.Task;
    }

    /// <summary>Reads the file again and applies it whole, or refuses it whole.</summary>
    /// <exception cref="ConfigurationException">The file is wrong; nothing was changed.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<ReloadReport> ReloadAsync()
    {
        await _reloading.WaitAsync();
        try
        {
            TopologySnapshot old = Topology;
            LoadedTopology loaded = TopologyLoader.Load(_options.ConfigPath, old.LocalHost.Name, old.Revision + 1)
                .LimitMtu(_datapath.TenantMtuMax);
            if (loaded.Snapshot.LocalHost.UnderlayAddress != old.LocalHost.UnderlayAddress)
            {
                throw new ConfigurationException(
                    $"the underlay address of {old.LocalHost.Name} cannot change while the agent runs: stop it, remove "
                    + "its tables (genkan host remove) and start it again.");
            }

            ReloadReport report = await _loop.AskAsync(loop => Apply(loop, old, loaded));
            TopologyWarnings = loaded.Warnings;
            return report with { Warnings = [.. loaded.Warnings, .. report.Warnings] };
        }
        finally
        {
            _reloading.Release();
        }
    }

    public void Dispose()
    {
        _reloading.Dispose();
        _loop.Dispose();
        _datapath.Dispose();
    }

    private static ReloadReport Apply(AgentLoop loop, TopologySnapshot old, LoadedTopology loaded)
    {
        TopologySnapshot current = loaded.Snapshot;
        string[] changed =
        [
            .. TopologyDiff.ChangedTags(old, current)
                .Select(tag => current.TryGetName(tag.Tag, out string? name) ? name : old.NameOf(tag.Tag))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
        loop.RunAlone(() =>
        {
            loop.Datapath.IsDirectWanted = loaded.Encapsulation == Encapsulation.Direct;
            loop.SlowPath.Apply(current);
        });
        return new ReloadReport(current.Revision, changed, [.. loop.Datapath.Faults]);
    }
}
