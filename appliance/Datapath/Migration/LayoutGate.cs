using System;
using System.Buffers.Binary;
using System.IO;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;

namespace Genkan.Datapath.Migration;

/// <summary>What an agent reads of pinned tables before it touches them.</summary>
internal static class LayoutGate
{
    private const uint FirstWithCompatibleVersion = 2;

    /// <summary>Refuses tables that say of themselves that this agent cannot take them over.</summary>
    /// <exception cref="DatapathException">They do; the message says what to do.</exception>
    internal static void Demand(string directory, string hostName)
    {
        using BpfMap? pinned = BpfMap.TryOpenPinned(Path.Combine(directory, "settings"));
        if (pinned is null || ReadElement(pinned) is not { } settings) return;
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(settings);
        if (version <= LayoutLimits.LayoutVersion) return;
        uint compatible = version >= FirstWithCompatibleVersion && settings.Length >= 8
            ? BinaryPrimitives.ReadUInt32LittleEndian(settings.AsSpan(4))
            : version;
        if (compatible <= LayoutLimits.LayoutVersion) return;
        throw new DatapathException(
            $"The tables pinned in {directory} are of a newer agent (layout {version}), which says that agents below "
            + $"layout {compatible} cannot take them over; this one has {LayoutLimits.LayoutVersion}. Run a newer "
            + $"agent, or `genkan --host {hostName} host remove`, which ends this host's connections.");
    }

    /// <summary>The seed of all digests in pinned tables, 0 if there are none.</summary>
    internal static ulong ReadDigestSeed(string directory, string hostName, KernelBtf btf)
    {
        using BpfMap? pinned = BpfMap.TryOpenPinned(Path.Combine(directory, "settings"));
        if (pinned is null || ReadElement(pinned) is not { } settings) return 0;
        BtfField? seed = btf.LayoutsOf(pinned).Value?.Find("digest_seed");
        return seed is null
            ? throw new DatapathException(
                $"The tables pinned in {directory} were made without names of their fields: run the agent that "
                + $"made them, or `genkan --host {hostName} host remove`, which ends this host's connections.")
            : MergeRule.Read(settings, seed);
    }

    /// <summary>Writes our versions into settings that were carried over, unless no agent ever finished them.</summary>
    internal static void WriteVersions(BpfMap settings, BtfLayout layout)
    {
        OctetTable table = new(settings);
        byte[] value = new byte[table.ValueSize];
        byte[] key = new byte[table.KeySize];
        if (!table.TryLookup(key, value) || layout.Find("layout_version") is not { } version) return;
        if (MergeRule.Read(value, version) == 0) return;
        MergeRule.Write(value, version, LayoutLimits.LayoutVersion);
        if (layout.Find("compatible_version") is { } compatible)
        {
            MergeRule.Write(value, compatible, LayoutLimits.CompatibleVersion);
        }

        table.Update(key, value);
    }

    private static byte[]? ReadElement(BpfMap settings)
    {
        OctetTable table = new(settings);
        byte[] value = new byte[table.ValueSize];
        return table.TryLookup(new byte[table.KeySize], value) && value.Length >= sizeof(uint) ? value : null;
    }
}
