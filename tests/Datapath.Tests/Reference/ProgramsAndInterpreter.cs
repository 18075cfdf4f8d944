using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using Genkan.Datapath.Tests.Programs;
using Genkan.Testing.Reference;
using Shouldly;
using Case = Genkan.Testing.Reference.Case;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// The programs and the interpreter decide alike: where a packet goes, its octets, what the agent gets, what is left in
/// the tables. A case that they disagree about is made small and kept as a file. For a long run set
/// GENKAN_PROPERTY_SECONDS; it begins at a seed of chance, or at GENKAN_PROPERTY_SEED.
/// </summary>
[Collection(ProgramMachine.Collection)]
public sealed class ProgramsAndInterpreter(ProgramMachine machine, ITestOutputHelper output) : IDisposable
{
    private const int PacketsPerWorld = 50;
    private const int Worlds = 400;
    private const int FirstSeed = 7_000_000; // of worlds that meet all
    private const int DisagreementsMax = 5;
    private const string Program = "tests/Datapath.Tests/bin/Debug/net10.0/Genkan.Datapath.Tests";

    private readonly Laboratory _laboratory = new();

    public static TheoryData<string> Cases => [.. CaseFile.All()];

    public void Dispose() => _laboratory.Dispose();

    [Fact]
    public void Agree_about_any_packet_in_any_world_and_the_packets_meet_all_that_there_is()
    {
        Comparison comparison = new(machine, _laboratory);
        int? seconds = Setting("GENKAN_PROPERTY_SECONDS");
        int seed = Setting("GENKAN_PROPERTY_SEED")
            ?? (seconds is null ? FirstSeed : RandomNumberGenerator.GetInt32(1_000_000_000));
        long start = Stopwatch.GetTimestamp();
        int worlds = 0;
        List<string> disagreements = [];
        while ((worlds < Worlds || Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(seconds ?? 0))
            && disagreements.Count < DisagreementsMax)
        {
            Case one = Make(seed + worlds);
            if (comparison.Run(one) is not null) disagreements.Add(Report(comparison, one, seed + worlds));
            worlds++;
        }

        output.WriteLine($"{comparison.Packets} packets in {worlds} worlds from seed {seed}, "
            + $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s, {comparison.Standstills} standstills");
        foreach (string line in CoverageDemands.Lines(comparison.Coverage)) output.WriteLine(line);
        disagreements.ShouldBeEmpty(string.Join('\n', disagreements));
        (comparison.Standstills * 10).ShouldBeLessThan(worlds, "the machine stands still too often to compare");
        CoverageDemands.Missing(comparison.Coverage).ShouldBeEmpty();
    }

    /// <summary>
    /// What the reader needs: the difference, the small world with its packets, and how to see it again.
    /// </summary>
    private static string Report(Comparison comparison, Case one, int seed)
    {
        Case small = CaseFile.Shrink(one, c => comparison.Run(c) is not null);
        string name = string.Create(CultureInfo.InvariantCulture, $"seed-{seed}");
        return $"""
            Seed {seed}: the programs and the interpreter disagree.
            {comparison.Run(small) ?? "(not any more: the machine was busy?)"}
            {small}
            {CaseFile.Text(small)}
            This is kept as {CaseFile.Write(name, small)}, and is a test from the next build on. All of the world again:
              GENKAN_PROPERTY_SEED={seed} {Program} -class '*{nameof(ProgramsAndInterpreter)}'

            """;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agree_about_what_they_once_disagreed_about(string name) =>
        new Comparison(machine, _laboratory).Run(CaseFile.Read(name)).ShouldBeNull();

    private static Case Make(int seed)
    {
        Chance chance = new(seed);
        WorldMaker worlds = new(chance);
        World world = worlds.Make();
        PacketMaker packets = new(chance, worlds, world);
        return new Case(world, [.. Enumerable.Range(0, PacketsPerWorld).Select(_ => packets.Make())]);
    }

    private static int? Setting(string name)
    {
        string? text = Environment.GetEnvironmentVariable(name);
        return text is null ? null : int.Parse(text, CultureInfo.InvariantCulture);
    }
}
