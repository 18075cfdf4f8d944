using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Layout;

/// <summary>Sizes, offsets and numbers that kernel programs and agent share.</summary>
public sealed class LayoutEqualsTheHeader(HeaderProbe probe) : IClassFixture<HeaderProbe>
{
    private static readonly Dictionary<string, Type> Structs = new()
    {
        ["port"] = typeof(PortEntry),
        ["link_key"] = typeof(LinkKey),
        ["port_stats"] = typeof(PortStats),
        ["conn4_key"] = typeof(Conn4Key),
        ["conn6_key"] = typeof(Conn6Key),
        ["action"] = typeof(ConnAction),
        ["conn"] = typeof(ConnEntry),
        ["install"] = typeof(InstallEntry),
        ["install_run"] = typeof(InstallRun),
        ["generation"] = typeof(GenerationEntry),
        ["class_key"] = typeof(ClassKey),
        ["nexthop"] = typeof(NexthopEntry),
        ["delivery"] = typeof(DeliveryEntry),
        ["replication"] = typeof(ReplicationEntry),
        ["neighbour_key"] = typeof(NeighbourKey),
        ["neighbour"] = typeof(NeighbourEntry),
        ["nat_owner_key"] = typeof(NatOwnerKey),
        ["local_service_key"] = typeof(LocalServiceKey),
        ["local_service"] = typeof(LocalServiceEntry),
        ["destination_key"] = typeof(DestinationKey),
        ["destination"] = typeof(DestinationEntry),
        ["vtep_key"] = typeof(VtepKey),
        ["vtep"] = typeof(VtepEntry),
        ["budget"] = typeof(BudgetEntry),
        ["fragment_key"] = typeof(FragmentKey),
        ["fragment"] = typeof(FragmentEntry),
        ["flow_credit"] = typeof(FlowCreditEntry),
        ["upcall"] = typeof(UpcallHeader),
        ["settings"] = typeof(SettingsEntry),
    };

    // Enum, the C prefix of its members, and members whose C# name is another word for the same thing.
    private static readonly Dictionary<string, EnumPair> Enums = new()
    {
        ["drop_reason"] = new(typeof(DropReason), "DROP_", new() { ["ReasonMax"] = "" }),
        ["port_kind"] = new(typeof(PortKind), "PORT_", []),
        ["port_flags"] = new(typeof(PortFlags), "PORT_F_", []),
        ["fragment_kind"] = new(typeof(FragmentKind), "FRAGMENT_", []),
        ["fragment_flags"] = new(typeof(FragmentFlags), "FRAGMENT_F_", []),
        ["verdict"] = new(typeof(FlowVerdict), "VERDICT_", []),
        ["conn_state"] = new(typeof(ConnectionState), "STATE_", []),
        ["rewrite"] = new(typeof(Rewrites), "REWRITE_", new()
        {
            ["Dmac"] = "DestinationMac",
            ["Smac"] = "SourceMac",
            ["Src"] = "Source",
            ["Dst"] = "Destination",
            ["Sport"] = "SourcePort",
            ["Dport"] = "DestinationPort",
        }),
        ["conn_flags"] = new(typeof(ConnFlags), "CONN_F_", []),
        ["class_mask"] = new(typeof(FlowMask), "MASK_", new()
        {
            ["Ethertype"] = "EtherType",
            ["L3Dst"] = "L3Destination",
            ["L4Dst"] = "L4Destination",
            ["CLASS_MASKS"] = "",
        }),
        ["nexthop_kind"] = new(typeof(NexthopKind), "NEXTHOP_", []),
        ["delivery_kind"] = new(typeof(DeliveryKind), "DELIVERY_", []),
        ["upcall_kind"] = new(typeof(UpcallKind), "UPCALL_", []),
        ["upcall_flags"] = new(typeof(UpcallFlags), "UPCALL_F_", []),
        ["mark_kind"] = new(typeof(MarkKind), "MARK_", []),
    };

    public static TheoryData<string> StructNames() => [.. HeaderProbe.Structs];

    public static TheoryData<string> EnumNames() => [.. HeaderProbe.Enums];

    [Theory]
    [MemberData(nameof(StructNames))]
    public void Every_field_has_the_name_offset_and_size_of_the_header(string name)
    {
        Type type = Structs[name];
        (int size, Dictionary<string, (int At, int Size)> members) = probe.Struct(name);

        SizeOf(type).ShouldBe(size, name);
        Dictionary<string, (int At, int Size)> fields = type
            .GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .ToDictionary(f => f.Name, f => (f.GetCustomAttribute<FieldOffsetAttribute>()!.Value, SizeOf(f.FieldType)));
        Dictionary<string, (int At, int Size)> expected = members
            .Where(m => !m.Key.StartsWith("pad", StringComparison.Ordinal))
            .ToDictionary(m => Pascal(m.Key), m => m.Value);
        fields.OrderBy(f => f.Value.At).ShouldBe(expected.OrderBy(f => f.Value.At));
    }

    [Theory]
    [MemberData(nameof(EnumNames))]
    public void Every_enum_has_the_names_and_numbers_of_the_header(string name)
    {
        (Type type, string prefix, Dictionary<string, string> words) = Enums[name];
        IEnumerable<KeyValuePair<string, long>> expected = probe.Enum(name)
            .Select(v => new KeyValuePair<string, long>(Word(v.Key, prefix, words), v.Value))
            .Where(v => v.Key.Length > 0);
        IEnumerable<KeyValuePair<string, long>> actual = Enum.GetNames(type).Select(
            n => new KeyValuePair<string, long>(n, Convert.ToInt64(Enum.Parse(type, n), CultureInfo.InvariantCulture)));
        bool headerHasZero = probe.Enum(name).ContainsValue(0);
        actual.Where(v => headerHasZero || v.Value != 0).OrderBy(v => v.Value).ShouldBe(expected.OrderBy(v => v.Value));
    }

    [Fact]
    public void Every_limit_has_the_number_of_the_header()
    {
        Dictionary<string, long> header =
            probe.Enum("macros").ToDictionary(m => Pascal(m.Key["M_".Length..]), m => m.Value);
        header["DropReasonMax"] = probe.Enum("drop_reason")["DROP_REASON_MAX"];
        header["ClassMasks"] = probe.Enum("class_mask")["CLASS_MASKS"];
        header["NeighbourUplink"] = 0x8000_0000; // stands in the header's comment only
        // Wider than BTF's enums: proven by a program's test run.
        header["DigestFactor"] = unchecked((long)0x9e3779b97f4a7c15);
        Dictionary<string, long> ours = typeof(LayoutLimits)
            .GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .ToDictionary(f => f.Name, f => f.GetRawConstantValue() is ulong wide
                    ? unchecked((long)wide)
                    : Convert.ToInt64(f.GetRawConstantValue(), CultureInfo.InvariantCulture));
        ours.OrderBy(l => l.Key, StringComparer.Ordinal).ShouldBe(header.OrderBy(l => l.Key, StringComparer.Ordinal));
    }

    private static int SizeOf(Type type) => (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!
        .MakeGenericMethod(type.IsEnum ? Enum.GetUnderlyingType(type) : type).Invoke(null, null)!;

    private static string Word(string name, string prefix, Dictionary<string, string> words)
    {
        string word = name.StartsWith(prefix, StringComparison.Ordinal) ? Pascal(name[prefix.Length..]) : name;
        return words.GetValueOrDefault(word, word);
    }

    private sealed record EnumPair(Type Type, string Prefix, Dictionary<string, string> Words);

    // key_port, KEY_PORT -> KeyPort
    private static string Pascal(string name) => string.Concat(
        name.Split('_').Select(w => w.Length == 0 ? w : char.ToUpperInvariant(w[0]) + w[1..].ToLowerInvariant()));
}
