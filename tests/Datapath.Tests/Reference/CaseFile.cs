using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Genkan.Testing.Reference;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// A case as a file that one can read: JSON, with addresses, MACs and frames in hexadecimal and only what differs from
/// the default. Each file in <c>Cases</c> is run by each test run.
/// </summary>
internal static class CaseFile
{
    private const string Extension = ".case";

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(), new AddressText(), new MacText(), new FrameText() },
    };

    public static string Folder([CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "Cases");

    public static IEnumerable<string> All() =>
        Directory.EnumerateFiles(Folder(), "*" + Extension).Select(f => Path.GetFileNameWithoutExtension(f)!).Order();

    public static string Text(Case one) => JsonSerializer.Serialize(one, Options);

    public static Case Read(string name) => Parse(File.ReadAllText(Path.Combine(Folder(), name + Extension)));

    /// <summary>Keeps a case; it becomes a test with the next run.</summary>
    /// <returns>Where it stands.</returns>
    public static string Write(string name, Case one)
    {
        string path = Path.Combine(Folder(), name + Extension);
        File.WriteAllText(path, Text(one) + "\n");
        return path;
    }

    /// <summary>Leaves out rows and packets, in ever smaller runs, as long as what is wrong stays wrong.</summary>
    public static Case Shrink(Case one, Func<Case, bool> isWrong)
    {
        foreach (string list in Lists(one))
        {
            int count = RowsOf(JsonSerializer.SerializeToNode(one, Options)!, list).Count;
            for (int run = Math.Max(count / 2, 1); run > 0 && count > 0; run /= 2)
            {
                for (int at = count - run; at > -run; at -= run)
                {
                    JsonNode node = JsonSerializer.SerializeToNode(one, Options)!;
                    JsonArray rows = RowsOf(node, list);
                    for (int i = Math.Min(at + run, rows.Count) - 1; i >= Math.Max(at, 0); i--) rows.RemoveAt(i);
                    Case smaller = InLaboratory(node.Deserialize<Case>(Options)!);
                    if (!isWrong(smaller)) continue;
                    (one, count) = (smaller, rows.Count);
                }
            }
        }

        return one;
    }

    private static Case Parse(string text) => InLaboratory(
        JsonSerializer.Deserialize<Case>(text, Options) ?? throw new InvalidDataException("a case is a JSON object"));

    /// <summary>Devices and routes are the laboratory's, and in no file.</summary>
    private static Case InLaboratory(Case one) => one with
    {
        World = one.World with { Devices = Laboratory.Devices, Routes = Laboratory.Routes },
    };

    private static string[] Lists(Case one) =>
    [
        nameof(Case.Packets),
        .. JsonSerializer.SerializeToNode(one.World, Options)!.AsObject()
            .Where(static p => p.Value is JsonArray)
            .Select(static p => p.Key),
    ];

    private static JsonArray RowsOf(JsonNode node, string list) =>
        (list == nameof(Case.Packets) ? node[list] : node[nameof(Case.World)]![list])!.AsArray();

    private sealed class AddressText : JsonConverter<UInt128>
    {
        public override UInt128 Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            UInt128.Parse(reader.GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        public override void Write(Utf8JsonWriter writer, UInt128 value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString("x32", CultureInfo.InvariantCulture));
    }

    private sealed class MacText : JsonConverter<ulong>
    {
        public override ulong Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            ulong.Parse(reader.GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        public override void Write(Utf8JsonWriter writer, ulong value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString("x12", CultureInfo.InvariantCulture));
    }

    private sealed class FrameText : JsonConverter<byte[]>
    {
        public override byte[] Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            Convert.FromHexString(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Convert.ToHexString(value));
    }
}
