using System.CommandLine;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Host.Api;
using Genkan.Host.Trace;

namespace Genkan.Host.Cli;

/// <summary><c>genkan trace</c>.</summary>
internal static class TraceCommand
{
    private const string Examples = """
        The packet, in words like tcpdump's:
          red-a tcp 10.0.1.11:40000 to 10.0.2.11:80
          red-a icmp 10.0.1.11 to 198.18.0.10 echo ttl 1
          red-a udp [2001:db8:1:1::11]:5000 to [2001:db8:1:2::11]:53
          red-a arp who-has 10.0.1.1
          uplink isp tcp 198.18.0.10:5000 to 198.51.100.20:80 syn
        '>' may stand for to, in quotes. At the end: ttl N, from MAC, to MAC.
        TCP flags: syn (if none is named), ack, fin, rst, psh.
        """;

    public static Command Create(AgentCommand agent)
    {
        Argument<string[]> words = new("WORDS") { Description = Examples, Arity = ArgumentArity.OneOrMore };
        return agent.Create(
            new Command("trace", "Simulate a packet and show what each device makes of it. Nothing is sent.") { words },
            ApiJson.Default.TraceReport,
            (client, result, cancellation) => AskAsync(client, result.GetRequiredValue(words), cancellation),
            Print,
            result => Check(result.GetRequiredValue(words)));
    }

    // Grammar is checked here, so that the caret can point into the words; the agent checks names.
    private static void Check(string[] words)
    {
        if (TraceWords.TryParse(words, out _, out TraceFault? fault)) return;
        throw new CliException(ExitCodes.Usage, Explain(words, fault!), fault!.Hint);
    }

    private static Task<TraceReport> AskAsync(AgentClient client, string[] words, CancellationToken cancellation)
    {
        string body = JsonSerializer.Serialize(new TraceRequest(words), ApiJson.Default.TraceRequest);
        return client.PostAsync(ApiRoutes.Trace, body, ApiJson.Default.TraceReport, cancellation);
    }

    private static string Explain(string[] words, TraceFault fault) =>
        $"{fault.Rule}\n  {TraceWords.Join(words)}\n  {new string(' ', fault.At)}{new string('^', fault.Length)}";

    private static int Print(Screen screen, TraceReport trace)
    {
        screen.Line(trace.Packet);
        screen.Line($"enters at {trace.Port}");
        screen.Line();
        screen.Table(
            ["DEVICE", "VERDICT"],
            trace.Steps.Select(static step => new[] { step.Device, step.Text }));
        screen.Line();
        screen.Line(trace.Verdict switch
        {
            "drop" => $"dropped: {trace.DropReason} ({trace.DropMeaning})",
            "answer" => trace.Egress ?? "answered",
            "consume" => "taken in, without an answer",
            _ => $"sent to {trace.Egress}",
        });
        screen.Wrapped("rewritten: ", trace.Rewrites);
        screen.Wrapped("depends on: ", trace.DependsOn);
        return ExitCodes.Done;
    }
}
