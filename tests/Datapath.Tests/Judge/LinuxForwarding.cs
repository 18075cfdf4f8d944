using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Shouldly;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// The third judge: a world that Linux can be as well, by its bridge, routing and neighbour table, is given the same
/// packets as Genkan. <c>GENKAN_PROPERTY_SECONDS</c> makes it a long run, over new worlds from
/// <c>GENKAN_PROPERTY_SEED</c> on; with a seed alone it repeats that one world.
/// </summary>
public sealed class LinuxForwarding(ITestOutputHelper output)
{
    private const int KindsMax = 12; // of disagreements that are told
    private const int FirstSeed = 1; // of five worlds that meet each rule
    private const int WorldCount = 5;
    private const string Program = "tests/Datapath.Tests/bin/Debug/net10.0/Genkan.Datapath.Tests";
    private const int PacketCount = 1_200;

    private readonly Dictionary<string, int> _met = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _disagreements = new(StringComparer.Ordinal);
    private int _worlds;
    private int _same;
    private int _delivered;

    [Fact]
    public void What_Linux_does_with_a_packet_Genkan_does_too_when_the_agent_decides_it_and_when_the_programs_do() =>
        Judges.OnOneCpu(() =>
        {
            using Judges judges = new(Difference.All);
            int? seconds = Number("GENKAN_PROPERTY_SECONDS");
            int? seed = Number("GENKAN_PROPERTY_SEED");
            bool isFixed = seconds is null && seed is null;
            int first = seed ?? (isFixed ? FirstSeed : Environment.TickCount & 0xffff);
            int count = isFixed ? WorldCount : seconds is null ? 1 : int.MaxValue - first;
            Stopwatch watch = Stopwatch.StartNew();
            for (int i = first; i < first + count && !(watch.Elapsed.TotalSeconds >= seconds); i++) Judge(judges, i);
            Report(first, judges);
            if (_disagreements.Count > 0) Assert.Fail(string.Join("\n\n", _disagreements.Values));
            if (!isFixed) return;

            _delivered.ShouldBeGreaterThan(WorldCount * PacketCount / 2);
            Difference.All.Where(d => !d.IsRare && !_met.ContainsKey(d.Name)).Select(static d => d.Name)
                .ShouldBeEmpty("a rule that no packet meets is none");
        });

    private void Judge(Judges judges, int seed)
    {
        JudgedWorld world = new JudgedWorldMaker(seed).Make();
        if (!judges.TryBecome(world)) return;
        _worlds++;
        JudgedPacketMaker maker = new(world, seed);
        for (int i = 0; i < PacketCount; i++)
        {
            JudgedPacket packet = maker.Next();
            for (int turn = 0; turn < 2; turn++)
            {
                JudgedCase judged = judges.Judge(packet, turn);
                Count(judged);
                if (!judged.IsDisagreement) continue;
                Keep(judges, seed, i, judged);
                return; // what is asked for to shrink it spends budgets
            }
        }
    }

    private void Count(JudgedCase judged)
    {
        foreach (Difference difference in judged.Met)
            _met[difference.Name] = _met.GetValueOrDefault(difference.Name) + 1;
        if (judged.Met.Count > 0 || judged.IsDisagreement) return;
        _same++;
        if (!judged.Genkan.IsEmpty) _delivered++;
    }

    // One of a kind is enough, and says more than ten of it.
    private void Keep(Judges judges, int seed, int number, JudgedCase found)
    {
        string kind = string.Create(CultureInfo.InvariantCulture, $"{found.Header.EtherType} {found.Fault} "
            + $"{found.Linux.Length} {found.LinuxError} {found.Genkan.Length} {found.GenkanError}");
        if (_disagreements.Count >= KindsMax || _disagreements.ContainsKey(kind)) return;
        string drops = string.Join(", ", judges.Drops());
        JudgedCase shrunk = Shrinker.Shrink(judges, found);
        _disagreements.Add(kind, string.Create(CultureInfo.InvariantCulture, $"""
            Linux and Genkan disagree: seed {seed}, packet {number}, time {found.Turn + 1} that it is sent.
            {found}
              Genkan's drops in this world: {drops}
            Shrunk, time {shrunk.Turn + 1}:
            {shrunk}
              octets {Convert.ToHexStringLower(shrunk.Packet.Frame)}
            World:
            {found.World}
            Again: GENKAN_PROPERTY_SEED={seed} {Program} -class '*LinuxForwarding'
            """));
    }

    private void Report(int first, Judges judges)
    {
        output.WriteLine(
            $"From seed {first}, {_worlds} worlds: {_same} outcomes the same, {_delivered} of them frames; "
            + $"{judges.Upcalls} upcalls.");
        foreach (Difference difference in Difference.All)
            output.WriteLine($"{_met.GetValueOrDefault(difference.Name),6} {difference.Name}: {difference.Why}");
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : null;
}
