using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Tests.Layout;
using Shouldly;

namespace Genkan.Datapath.Tests.Migration;

/// <summary>The reader of type information.</summary>
public sealed class BtfTests
{
    [Fact]
    public void Every_table_of_our_programs_tells_its_fields_but_rings()
    {
        using BpfObject programs = BpfObject.OpenResource(typeof(BpfObject).Assembly, "from_port.bpf.o");
        Btf btf = programs.ReadBtf()!;
        string[] silent =
        [
            .. programs.MapNames
                .Where(m => programs.MapTypes(m) is var (key, value) && (key == 0 || value == 0)).Order(),
        ];
        silent.ShouldBe(["upcall_control", "upcall_data"]);
        foreach (string map in programs.MapNames.Except(silent))
        {
            (uint key, uint value) = programs.MapTypes(map);
            btf.LayoutOf(key).Size.ShouldBe((int)programs.MapSpec(map).KeySize, map);
            btf.LayoutOf(value).Size.ShouldBe((int)programs.MapSpec(map).ValueSize, map);
        }
    }

    [Theory]
    [MemberData(nameof(HeaderStructs))]
    public void Fields_have_the_offsets_and_sizes_that_bpftool_tells(string name)
    {
        using BpfObject programs = BpfObject.OpenResource(typeof(BpfObject).Assembly, "from_port.bpf.o");
        Btf btf = programs.ReadBtf()!;
        (string map, bool isKey) = name switch
        {
            "settings" => ("settings", false),
            "port" => ("ports", false),
            "conn4_key" => ("conn4", true),
            _ => (name, false),
        };
        (uint key, uint value) = programs.MapTypes(map);
        BtfLayout layout = btf.LayoutOf(isKey ? key : value);

        (int size, System.Collections.Generic.Dictionary<string, (int At, int Size)> members) =
            new HeaderProbe().Struct(name);

        layout.Size.ShouldBe(size);
        layout.Fields.Select(f => (f.Name, f.At, f.ElementSize * f.Count))
            .ShouldBe(members.Select(m => (m.Key, m.Value.At, m.Value.Size)), ignoreOrder: true);
    }

    public static TheoryData<string> HeaderStructs() => ["settings", "port", "conn4_key", "nexthop", "budget"];

    [Fact]
    public void Inner_structs_have_dotted_names_and_signed_numbers_are_known()
    {
        using BpfObject programs = BpfObject.OpenResource(typeof(BtfTests).Assembly, "generation_a.bpf.o");
        BtfLayout conn = programs.ReadBtf()!.LayoutOf(programs.MapTypes("conn4").Value);
        conn.Find("action.mac").ShouldBe(new BtfField("action.mac", 8, 1, 6, IsSigned: false));
        conn.Find("action.list").ShouldBe(new BtfField("action.list", 16, 4, 3, IsSigned: false));
        conn.Find("action.signed_number").ShouldBe(new BtfField("action.signed_number", 28, 4, 1, IsSigned: true));
    }

    [Fact]
    public void Octets_that_are_cut_or_changed_are_read_or_refused_but_nothing_else()
    {
        byte[] raw = Raw();
        for (int length = 0; length < raw.Length; length++) Try(raw.AsSpan(0, length));
        const int Seed = 31;
        Random random = new(Seed);
        for (int i = 0; i < 4_000; i++)
        {
            byte[] changed = (byte[])raw.Clone();
            for (int n = random.Next(1, 6); n > 0; n--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            Try(changed);
        }
    }

    // struct s { u32 a; u8 b[4]; struct t { u16 c; u16 d; } e; }, typedef s t: the smallest with all that is read.
    private static byte[] Raw()
    {
        string names = "\0u32\0u8\0s\0a\0b\0e\0t\0c\0d\0u16\0";
        uint At(string name) => (uint)names.IndexOf($"\0{name}\0", StringComparison.Ordinal) + 1;
        uint[] types =
        [
            At("u32"), 1 << 24, 4, 32,
            At("u8"), 1 << 24, 1, 8,
            At("u16"), 1 << 24, 2, 16,
            0, 3 << 24, 0, 2, 1, 4,
            At("t"), (4 << 24) | 2, 4, At("c"), 3, 0, At("d"), 3, 16,
            At("s"), (4 << 24) | 3, 12, At("a"), 1, 0, At("b"), 4, 32, At("e"), 5, 64,
            At("t"), 8 << 24, 6,
        ];
        byte[] header = new byte[24];
        (header[0], header[1], header[2]) = (0x9F, 0xEB, 1);
        uint[] sections = [24, 0, (uint)types.Length * 4, (uint)types.Length * 4, (uint)names.Length];
        Buffer.BlockCopy(sections, 0, header, 4, 20);
        byte[] body = new byte[types.Length * 4];
        Buffer.BlockCopy(types, 0, body, 0, body.Length);
        return [.. header, .. body, .. System.Text.Encoding.ASCII.GetBytes(names)];
    }

    private static void Try(ReadOnlySpan<byte> raw)
    {
        Btf btf;
        try
        {
            btf = Btf.Parse(raw);
        }
        catch (BtfException)
        {
            return;
        }

        for (uint type = 0; type <= btf.TypeCount; type++)
        {
            try
            {
                BtfLayout layout = btf.LayoutOf(type);
                layout.Fields.ShouldAllBe(f => f.At >= 0 && f.At + (f.ElementSize * f.Count) <= layout.Size);
            }
            catch (BtfException)
            {
                continue; // refused, as it should be
            }
        }
    }
}
