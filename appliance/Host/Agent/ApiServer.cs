using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Host.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>The agent's socket: HTTP for <c>genkan</c>, <c>curl --unix-socket</c> and Prometheus, for root
/// alone.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    /// <summary>Octets of a request body; the longest is a trace's words.</summary>
    private const int BodyMax = 16 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyDirectory = OwnerOnly | UnixFileMode.UserExecute;

    private readonly WebApplication _application;
    private readonly string _socketPath;

    private ApiServer(WebApplication application, string socketPath)
    {
        _application = application;
        _socketPath = socketPath;
    }

    /// <summary>Listens.</summary>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public static async Task<ApiServer> StartAsync(AgentRuntime runtime, ILoggerFactory loggers, CancellationToken stop)
    {
        string path = runtime.SocketPath;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnlyDirectory);
        File.Delete(path); // of an agent that was killed; a living one holds the host's lock, so we would not be here

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(path, static listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Limits.MaxRequestBodySize = BodyMax;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.AddServerHeader = false;
        });
        WebApplication application = builder.Build();
        Map(application, runtime);
        await application.StartAsync(stop);
        File.SetUnixFileMode(path, OwnerOnly);
        return new ApiServer(application, path);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        File.Delete(_socketPath);
    }

    private static void Map(WebApplication application, AgentRuntime runtime)
    {
        AgentReports reports = new(runtime);
        application.MapGet(ApiRoutes.Status, () => GuardAsync(async () =>
            Json(await runtime.Loop.AskAsync(_ => reports.Status()), ApiJson.Default.StatusReport)));
        application.MapGet(ApiRoutes.Ports, () => GuardAsync(async () =>
            Json(await runtime.Loop.AskAsync(_ => reports.Ports()), ApiJson.Default.IReadOnlyListPortReport)));
        application.MapGet(ApiRoutes.Tenants, () => GuardAsync(async () =>
            Json(await runtime.Loop.AskAsync(_ => reports.Tenants()), ApiJson.Default.IReadOnlyListTenantReport)));
        application.MapGet(ApiRoutes.Drops, () => GuardAsync(async () =>
            Json(await runtime.Loop.AskAsync(_ => reports.Drops()), ApiJson.Default.IReadOnlyListDropReport)));
        application.MapGet(ApiRoutes.Flows, (string? port, string? state, bool? drop, int? limit) =>
            GuardAsync(async () =>
        {
            FlowWalk walk = new(new FlowFilter(port, state, drop ?? false, limit ?? FlowFilter.LimitDefault));
            IReadOnlyList<FlowReport> first = await runtime.Loop.AskAsync(_ => reports.Flows(walk));
            return Json(RestOf(walk, first, runtime, reports), ApiJson.Default.IAsyncEnumerableFlowReport);
        }));
        application.MapGet(ApiRoutes.Metrics, () => GuardAsync(async () =>
            Results.Text(await runtime.Loop.AskAsync(_ => PrometheusText.Write(reports)), PrometheusText.ContentType)));
        application.MapPost(ApiRoutes.Trace, (HttpRequest request) => GuardAsync(async () =>
        {
            TraceRequest trace = await JsonSerializer.DeserializeAsync(request.Body, ApiJson.Default.TraceRequest)
                ?? throw new JsonException("the body is empty");
            return Json(await runtime.Loop.AskAsync(_ => reports.Trace(trace)), ApiJson.Default.TraceReport);
        }));
        application.MapPost(ApiRoutes.Reload, () => GuardAsync(async () =>
            Json(await runtime.ReloadAsync(), ApiJson.Default.ReloadReport)));
    }

    // A batch is written out before the next one is asked for.
    private static async IAsyncEnumerable<FlowReport> RestOf(
        FlowWalk walk, IReadOnlyList<FlowReport> batch, AgentRuntime runtime, AgentReports reports)
    {
        while (true)
        {
            foreach (FlowReport flow in batch) yield return flow;
            if (walk.IsOver) yield break;
            batch = await runtime.Loop.AskAsync(_ => reports.Flows(walk));
        }
    }

    private static IResult Json<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        Results.Json(value, type, statusCode: status);

    /// <summary>The asker's fault is 400 with what is wrong; an agent too busy to answer is 503.</summary>
    private static async Task<IResult> GuardAsync(Func<Task<IResult>> answer)
    {
        try
        {
            return await answer();
        }
        catch (ConfigurationException wrong)
        {
            return Problem(new ProblemReport(wrong.Message, "Nothing was changed.", wrong.FileName, wrong.Errors));
        }
        catch (TraceException wrong)
        {
            return Problem(new ProblemReport(wrong.Message, wrong.Hint));
        }
        catch (Exception wrong) when (
            wrong is JsonException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Problem(new ProblemReport(wrong.Message));
        }
        catch (InvalidOperationException busy)
        {
            return Problem(new ProblemReport(busy.Message), StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static IResult Problem(ProblemReport report, int status = StatusCodes.Status400BadRequest) =>
        Json(report, ApiJson.Default.ProblemReport, status);
}
