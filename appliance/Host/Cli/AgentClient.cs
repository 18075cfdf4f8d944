using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary>Talks to an agent: HTTP over its Unix socket.</summary>
internal sealed class AgentClient : IDisposable
{
    private readonly string _path;
    private readonly HttpClient _http;

    private AgentClient(string path, TimeSpan patience)
    {
        _path = path;
        SocketsHttpHandler handler = new() { ConnectCallback = (_, cancellation) => ConnectAsync(path, cancellation) };
        _http = new HttpClient(handler, disposeHandler: true)
        {
            BaseAddress = new Uri("http://agent"),
            Timeout = patience,
        };
    }

    /// <summary>The agent of a host, or the only one that runs.</summary>
    /// <exception cref="CliException">There is none, or there are several.</exception>
    public static async Task<AgentClient> FindAsync(CliContext context, string? host, CancellationToken cancellation)
    {
        if (host is not null)
            return new AgentClient(AgentSocket.PathOf(context.RunDirectory, host), context.Patience);

        List<string> alive = [];
        foreach (string candidate in AgentSocket.Hosts(context.RunDirectory))
        {
            // A killed agent leaves its socket behind; only one that takes a connection counts.
            if (await AnswersAsync(AgentSocket.PathOf(context.RunDirectory, candidate), cancellation))
            {
                alive.Add(candidate);
            }
        }

        return alive.Count switch
        {
            1 => new AgentClient(AgentSocket.PathOf(context.RunDirectory, alive[0]), context.Patience),
            0 => throw NoAgent(AgentSocket.PathOf(context.RunDirectory, "*")),
            _ => throw new CliException(
                ExitCodes.NoAgent, $"several agents run here: {string.Join(", ", alive)}",
                $"choose one: --host {alive[0]}"),
        };
    }

    /// <summary>Asks for something.</summary>
    /// <exception cref="CliException">No agent answers, or it refuses.</exception>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), type, cancellation);

    /// <summary>Asks for something to be done.</summary>
    /// <exception cref="CliException">No agent answers, or it refuses.</exception>
    public Task<T> PostAsync<T>(string path, string? json, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        HttpRequestMessage request = new(HttpMethod.Post, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return SendAsync(request, type, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellation);
            string body = await response.Content.ReadAsStringAsync(cancellation);
            if (!response.IsSuccessStatusCode) throw Refused(response, body);
            return JsonSerializer.Deserialize(body, type) ?? throw Garbled("null");
        }
        catch (HttpRequestException fault) when (fault.InnerException is SocketException
        {
            SocketErrorCode: SocketError.AccessDenied,
        })
        {
            throw new CliException(ExitCodes.NoAgent, $"no right to talk to the agent on {_path}", "try it with sudo");
        }
        catch (HttpRequestException)
        {
            throw NoAgent(_path);
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CliException(
                ExitCodes.NoAgent,
                FormattableString.Invariant(
                    $"the agent on {_path} does not answer within {_http.Timeout.TotalSeconds:0.##} s"),
                "it hangs: see its standard error (journalctl if systemd runs it), then restart it; traffic goes on");
        }
        catch (JsonException fault)
        {
            throw Garbled(fault.Message);
        }
    }

    private static CliException NoAgent(string path) => new(
        ExitCodes.NoAgent, $"no agent answers on {path}", "start one with: genkan run --config FILE --host NAME");

    private static CliException Refused(HttpResponseMessage response, string body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, ApiJson.Default.ProblemReport) is { Error: not null } problem)
            {
                return new CliException(ExitCodes.Failed, problem.Error, problem.Hint) { Problem = problem };
            }
        }
        catch (JsonException)
        {
            // Not ours to read: the status says what there is to say.
        }

        return new CliException(
            ExitCodes.Failed, $"the agent answers {(int)response.StatusCode} {response.ReasonPhrase}", "");
    }

    private static CliException Garbled(string why) => new(
        ExitCodes.Failed, $"the agent's answer cannot be read: {why}",
        "is it of another version? compare genkan --version");

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<bool> AnswersAsync(string path, CancellationToken cancellation)
    {
        try
        {
            await using Stream stream = await ConnectAsync(path, cancellation);
            return true;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode == SocketError.AccessDenied; // there is one, only not for this user
        }
    }
}

/// <summary>A command ends with a sentence and an exit code.</summary>
internal sealed class CliException(int exitCode, string message, string hint) : Exception(message)
{
    public int ExitCode => exitCode;

    public string Hint => hint;

    public ProblemReport? Problem { get; init; }
}
