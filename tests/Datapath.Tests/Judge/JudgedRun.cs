using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Shouldly;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// Worlds one after the other, and what the two judges said: a fixed number of them, or as many as
/// <c>GENKAN_PROPERTY_SECONDS</c> lets it; with <c>GENKAN_PROPERTY_SEED</c> alone, that one.
/// </summary>
internal sealed class JudgedRun(
    ImmutableArray<Difference> rules, int worldCount, string test, ITestOutputHelper output) : IDisposable
{
    private const int KindsMax = 12; // of disagreements that are told
    private const int HistoryMax = 6;
    private const string Program = "tests/Datapath.Tests/bin/Debug/net10.0/Genkan.Datapath.Tests";

    private readonly Dictionary<string, int> _met = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _disagreements = new(StringComparer.Ordinal);
    private List<JudgedCase> _history = [];
    private bool _isFixed;
    private int _same;
    private int _delivered;

    public Judges Judges { get; } = new(rules);

    /// <summary>Judges world after world, tells what was seen, and fails if the two disagreed.</summary>
    public void Over(Action<int> judgeWorld)
    {
        int? seconds = Number("GENKAN_PROPERTY_SECONDS");
        int? seed = Number("GENKAN_PROPERTY_SEED");
        _isFixed = seconds is null && seed is null;
        int first = seed ?? (_isFixed ? 1 : Environment.TickCount & 0xffff);
        int count = _isFixed ? worldCount : seconds is null ? 1 : int.MaxValue - first;
        Stopwatch watch = Stopwatch.StartNew();
        int i = first;
        for (; i < first + count && !(watch.Elapsed.TotalSeconds >= seconds); i++) judgeWorld(i);
        Report(first, i - first);
        if (_disagreements.Count > 0) Assert.Fail(string.Join("\n\n", _disagreements.Values));
    }

    /// <summary>Counts a case.</summary>
    /// <returns>False if the two disagree: the world is then spent, since what shrinks a packet is sent too.</returns>
    public bool Take(int seed, int number, JudgedCase judged)
    {
        foreach (Difference difference in judged.Met)
            _met[difference.Name] = _met.GetValueOrDefault(difference.Name) + 1;
        _history = judged.World == _history.LastOrDefault()?.World ? _history : [];
        _history.Add(judged);
        if (judged.IsDisagreement)
        {
            Keep(seed, number, judged);
            return false;
        }

        if (!judged.IsSame) return true;
        _same++;
        if (!judged.Genkan.IsEmpty) _delivered++;
        return true;
    }

    /// <summary>Of the fixed worlds: that every rule was met, and enough packets came through.</summary>
    public void DemandAllMet(int deliveredMin)
    {
        if (!_isFixed) return;
        _delivered.ShouldBeGreaterThan(deliveredMin);
        rules.Where(d => !d.IsRare && !_met.ContainsKey(d.Name)).Select(static d => d.Name)
            .ShouldBeEmpty("a rule that no packet meets is none");
    }

    public void Dispose() => Judges.Dispose();

    // One of a kind is enough, and says more than ten of it.
    private void Keep(int seed, int number, JudgedCase found)
    {
        string kind = string.Create(CultureInfo.InvariantCulture, $"{found.Header.EtherType} {found.Fault} "
            + $"{found.Linux.Length} {found.LinuxError} {found.Genkan.Length} {found.GenkanError}");
        if (_disagreements.Count >= KindsMax || _disagreements.ContainsKey(kind)) return;
        string drops = string.Join(", ", Judges.Drops());
        if (found.World.Outside is not null)
        {
            // Without what came before it, a packet of a connection is another one.
            _disagreements.Add(kind, string.Create(CultureInfo.InvariantCulture, $"""
                Linux and Genkan disagree: seed {seed}, packet {number}, time {found.Turn + 1} that it is sent.
                {found}
                  octets {Convert.ToHexStringLower(found.Packet.Frame)}
                Before it, of the same transport port:
                {string.Join('\n', _history.Where(h => IsRelated(h, found)).TakeLast(HistoryMax))}
                Genkan's drops in this world: {drops}
                World:
                {found.World}
                Again: GENKAN_PROPERTY_SEED={seed} {Program} -class '*{test}'
                """));
            return;
        }

        JudgedCase shrunk = Shrinker.Shrink(Judges, found);
        _disagreements.Add(kind, string.Create(CultureInfo.InvariantCulture, $"""
            Linux and Genkan disagree: seed {seed}, packet {number}, time {found.Turn + 1} that it is sent.
            {found}
              Genkan's drops in this world: {drops}
            Shrunk, time {shrunk.Turn + 1}:
            {shrunk}
              octets {Convert.ToHexStringLower(shrunk.Packet.Frame)}
            World:
            {found.World}
            Again: GENKAN_PROPERTY_SEED={seed} {Program} -class '*{test}'
            """));
    }

    private static bool IsRelated(JudgedCase one, JudgedCase other) => one != other && one.Header.Protocol
        == other.Header.Protocol && (one.Header.SourcePort == other.Header.SourcePort
            || one.Header.DestinationPort == other.Header.SourcePort);

    private void Report(int first, int count)
    {
        output.WriteLine($"{count} worlds from seed {first}: {_same} outcomes the same, {_delivered} of them frames; "
            + $"{Judges.Upcalls} upcalls.");
        foreach (Difference difference in rules)
            output.WriteLine($"{_met.GetValueOrDefault(difference.Name),6} {difference.Name}: {difference.Why}");
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : null;
}
