using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Tasks;
using Genkan.Host.Agent;
using Genkan.Host.Api;
using Genkan.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Genkan.Host.Tests.Cli;

/// <summary>The command line against a server on a real Unix socket that answers with known reports.</summary>
public sealed class AgentCommandTests : IAsyncLifetime
{
    private readonly string _runDirectory = Directory.CreateTempSubdirectory("genkan-cli-").FullName;
    private readonly List<string> _asked = [];
    private WebApplication? _agent;

    public async ValueTask InitializeAsync()
    {
        string socket = AgentSocket.PathOf(_runDirectory, "gw1");
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
        _agent = builder.Build();
        _agent.MapFallback(AnswerAsync);
        await _agent.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _agent!.DisposeAsync();
        Directory.Delete(_runDirectory, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string body = await new StreamReader(context.Request.Body).ReadToEndAsync();
        _asked.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {body}".Trim());
        await (context.Request.Path.Value switch
        {
            ApiRoutes.Status => Json(context, Reports.Status, ApiJson.Default.StatusReport),
            ApiRoutes.Ports => Json(context, Reports.Ports, ApiJson.Default.IReadOnlyListPortReport),
            ApiRoutes.Tenants => Json(context, Reports.Tenants, ApiJson.Default.IReadOnlyListTenantReport),
            ApiRoutes.Flows => Json(context, Reports.Flows, ApiJson.Default.IReadOnlyListFlowReport),
            ApiRoutes.Drops => Json(context, Reports.Drops, ApiJson.Default.IReadOnlyListDropReport),
            ApiRoutes.Trace => Json(context, Reports.Trace, ApiJson.Default.TraceReport),
            ApiRoutes.Reload => Json(context, Reports.Problem, ApiJson.Default.ProblemReport, 400),
            _ => context.Response.WriteAsync("?"),
        });
    }

    private static Task Json<T>(HttpContext context, T value, JsonTypeInfo<T> type, int status = 200)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(value, type);
    }

    private Task<CliRun> RunAsync(params string[] arguments) => CliRun.OfAsync(_runDirectory, arguments);

    private static string Folder([CallerFilePath] string self = "") =>
        Path.Combine(Path.GetDirectoryName(self)!, "Golden");

    [Theory]
    [InlineData("status", "status")]
    [InlineData("port-list", "port", "list")]
    [InlineData("port-show", "port", "show", "red-a")]
    [InlineData("tenant-list", "tenant", "list")]
    [InlineData("flow-list", "flow", "list")]
    [InlineData("drop-list", "drop", "list")]
    [InlineData("trace", "trace", "red-a", "tcp", "10.0.1.11:40000", "to", "198.18.0.10:80")]
    public async Task People_read_what_the_golden_text_has(string name, params string[] arguments)
    {
        CliRun run = await RunAsync(arguments);
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(0);
        Golden.Check(Path.Combine(Folder(), $"{name}.txt"), run.Output).ShouldBeNull();
        run.Output.Split('\n').ShouldAllBe(line => line.TrimEnd().Length <= 100);
        run.Output.ShouldNotContain("\u001b");
    }

    [Fact]
    public async Task Programs_read_the_agents_JSON()
    {
        CliRun run = await RunAsync("port", "list", "--json");
        IReadOnlyList<PortReport> ports = JsonSerializer.Deserialize(
            run.Output, ApiJson.Default.IReadOnlyListPortReport)!;
        ports.Count.ShouldBe(3);
        run.Output.ShouldContain("\"from_port_packets\": 12345");
    }

    [Fact]
    public async Task Programs_read_what_tenants_hold_of_both_families()
    {
        CliRun run = await RunAsync("tenant", "list", "--json");
        IReadOnlyList<TenantReport> tenants = JsonSerializer.Deserialize(
            run.Output, ApiJson.Default.IReadOnlyListTenantReport)!;
        tenants[^1].Ipv6.ShouldBe(new FamilyCounts(60_000, 65_536));
        (tenants[^1].Family, tenants[^1].Flows).ShouldBe(("ipv6", 60_000));
        run.Output.ShouldContain("\"family\": \"ipv6\"");
        run.Output.ShouldContain("\"answers\": 77");
    }

    [Fact]
    public async Task Filters_become_a_query()
    {
        await RunAsync("flow", "list", "--port", "red/red-a", "--state", "reply", "--drop", "--limit", "5");
        _asked.ShouldBe(["GET /flows?limit=5&port=red%2Fred-a&state=reply&drop=true"]);
    }

    [Fact]
    public async Task Trace_sends_its_words()
    {
        await RunAsync("--host", "gw1", "trace", "red-a", "arp", "who-has", "10.0.1.1");
        JsonSerializer.Deserialize(_asked[0]["POST /trace ".Length..], ApiJson.Default.TraceRequest)!
            .Words.ShouldBe(["red-a", "arp", "who-has", "10.0.1.1"]);
    }

    [Fact]
    public async Task Trace_points_at_a_wrong_word_without_asking()
    {
        CliRun run = await RunAsync("trace", "red-a", "tpc", "10.0.1.11:1");
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldBe("""
            genkan: 'tpc' is not a protocol
              red-a tpc 10.0.1.11:1
                    ^^^
              hint: did you mean 'tcp'?

            """);
        _asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refused_reload_tells_the_mistakes()
    {
        CliRun run = await RunAsync("config", "reload");
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldBe("""
            genkan: the file has mistakes
            x.yaml:7:3: error: 'mto' is not a key here
                 hint: did you mean 'mtu'?
              hint: nothing was changed

            """);
    }

    [Fact]
    public async Task A_port_that_is_not_there_is_told()
    {
        CliRun run = await RunAsync("port", "show", "red-z");
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldBe("genkan: there is no port 'red-z' on this host\n  hint: did you mean 'red-a'?\n");
    }

    [Fact]
    public async Task Without_an_agent_the_answer_says_how_to_start_one()
    {
        CliRun run = await CliRun.OfAsync("/nonexistent", ["--host", "hv1", "status"]);
        run.ExitCode.ShouldBe(3);
        run.Error.ShouldBe(
            "genkan: no agent answers on /nonexistent/hv1/agent.sock\n"
            + "  hint: start one with: genkan run --config FILE --host NAME\n");
    }

    [Fact]
    public async Task The_socket_of_a_killed_agent_does_not_count()
    {
        Leave("hv1");
        (await RunAsync("status")).ExitCode.ShouldBe(0);
        (await RunAsync("--host", "hv1", "status")).ExitCode.ShouldBe(3);
    }

    [Fact]
    public async Task An_agent_that_hangs_is_told_with_what_to_do()
    {
        using Socket silent = Listen("hv1");
        CliRun run = await CliRun.OfAsync(
            _runDirectory, ["--host", "hv1", "status"], patience: TimeSpan.FromMilliseconds(50));
        run.ExitCode.ShouldBe(3);
        run.Error.ShouldBe(
            $"genkan: the agent on {AgentSocket.PathOf(_runDirectory, "hv1")} does not answer within 0.05 s\n"
            + "  hint: it hangs: see its standard error (journalctl if systemd runs it), then restart it; traffic goes "
            + "on\n");
    }

    [Fact]
    public async Task With_several_agents_one_is_to_be_chosen()
    {
        using Socket other = Listen("hv1");
        CliRun run = await RunAsync("status");
        run.ExitCode.ShouldBe(3);
        run.Error.ShouldBe("genkan: several agents run here: gw1, hv1\n  hint: choose one: --host gw1\n");
    }

    [Fact]
    public async Task Run_hands_its_options_to_the_agent()
    {
        AgentOptions? given = null;
        CliRun run = await CliRun.OfAsync(
            "/run/x",
            [
                "run", "--config", "f.yaml", "--host", "gw1", "--pins", "/p", "--attach", "clsact", "--workers", "3",
                "--connections", "4096",
            ],
            (options, _) =>
            {
                given = options;
                return Task.FromResult(7);
            });
        run.ExitCode.ShouldBe(7);
        given.ShouldBe(
            new AgentOptions("f.yaml", "gw1", "/p", "/run/x", AttachChoice.Clsact, Workers: 3, Connections: 4096));
    }

    [Theory]
    [InlineData("flow", "list", "--state", "sideways")]
    [InlineData("run", "--config", "f.yaml", "--workers", "0")]
    [InlineData("run", "--config", "f.yaml", "--workers", "17")]
    [InlineData("run", "--config", "f.yaml", "--workers", "x")]
    [InlineData("run", "--config", "f.yaml", "--connections", "1023")]
    [InlineData("run", "--config", "f.yaml", "--connections", "4194305")]
    [InlineData("run", "--config", "f.yaml", "--connections", "x")]
    [InlineData("nonsense")]
    [InlineData("completion", "fish")]
    public async Task A_wrong_command_line_ends_with_2(params string[] arguments) =>
        (await RunAsync(arguments)).ExitCode.ShouldBe(2);

    private Socket Listen(string host)
    {
        string path = AgentSocket.PathOf(_runDirectory, host);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private void Leave(string host)
    {
        string path = AgentSocket.PathOf(_runDirectory, host);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(path)); // bound, never listened: as a kill leaves it
        if (!File.Exists(path)) File.WriteAllText(path, "");
    }
}
