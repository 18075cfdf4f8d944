using System;
using System.Diagnostics;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Genkan.Lab.Tests.Agent;

/// <summary>A real <c>genkan run</c> in a namespace.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AgentProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("the agent ended"));
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts one and waits until it says that it is ready.</summary>
    public static async Task<AgentProcess> StartAsync(IAgentHost host, params string[] more)
    {
        AgentProcess agent =
            new(Command.Start("nsenter", [$"--net=/run/netns/{host.Namespace}", .. host.RunArguments(), .. more]));
        try
        {
            await agent._ready.Task.WaitAsync(StartDeadline);
        }
        catch (Exception fault) when (fault is TimeoutException or InvalidOperationException)
        {
            await agent.DisposeAsync();
            throw new InvalidOperationException($"{fault.Message}. It said:\n{agent._said}", fault);
        }

        return agent;
    }

    /// <summary>Ends it as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        using CancellationTokenSource deadline = new(StartDeadline);
        await _process.WaitForExitAsync(deadline.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Hear(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (_said) _said.AppendLine(line.Data);
        if (line.Data.Contains("is ready", StringComparison.Ordinal)) _ready.TrySetResult();
    }
}
