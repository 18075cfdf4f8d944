using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Bpf;

namespace Genkan.Datapath.Migration;

/// <summary>
/// Carries octets from one layout to another, field by field, by name. A field that the source lacks is zero, one that
/// the target lacks is left out; numbers (little-endian) are widened or narrowed, arrays cut or filled up with zeros.
/// </summary>
internal sealed class FieldConversion
{
    private readonly Step[] _steps;
    private readonly int _sourceSize;
    private readonly int _targetSize;

    /// <summary>Plans the way from one layout to another.</summary>
    internal FieldConversion(BtfLayout source, BtfLayout target)
    {
        (_sourceSize, _targetSize) = (source.Size, target.Size);
        ILookup<string, BtfField> from = source.Fields.ToLookup(f => f.Name, StringComparer.Ordinal);
        List<Step> steps = [];
        foreach (BtfField to in target.Fields)
        {
            if (from[to.Name].FirstOrDefault() is { } field) steps.Add(new Step(field, to));
        }

        _steps = [.. steps];
    }

    private readonly record struct Step(BtfField From, BtfField To)
    {
        internal bool IsCopy => From.ElementSize == To.ElementSize;

        internal int Count => Math.Min(From.Count, To.Count);
    }

    /// <summary>Converts one key or value.</summary>
    /// <param name="source">Octets in the source's layout.</param>
    /// <param name="target">Written whole.</param>
    /// <returns>Null, or the name of a field whose value does not fit the target's.</returns>
    internal string? Convert(ReadOnlySpan<byte> source, Span<byte> target)
    {
        source = source[.._sourceSize];
        target = target[.._targetSize];
        target.Clear();
        foreach (Step step in _steps)
        {
            ReadOnlySpan<byte> from = source.Slice(step.From.At, step.From.ElementSize * step.From.Count);
            Span<byte> to = target.Slice(step.To.At, step.To.ElementSize * step.To.Count);
            int carried = step.Count * step.From.ElementSize;
            if (from[carried..].ContainsAnyExcept((byte)0)) return step.To.Name;
            if (step.IsCopy) from[..carried].CopyTo(to);
            else if (!TryResize(step, from, to)) return step.To.Name;
        }

        return null;
    }

    private static bool TryResize(in Step step, ReadOnlySpan<byte> from, Span<byte> to)
    {
        (int fromSize, int toSize) = (step.From.ElementSize, step.To.ElementSize);
        for (int i = 0; i < step.Count; i++)
        {
            ReadOnlySpan<byte> source = from.Slice(i * fromSize, fromSize);
            Span<byte> target = to.Slice(i * toSize, toSize);
            bool isNegative = step.From.IsSigned && (source[^1] & 0x80) != 0;
            byte filling = isNegative ? (byte)0xff : (byte)0;
            int kept = Math.Min(fromSize, toSize);
            source[..kept].CopyTo(target);
            target[kept..].Fill(filling);
            bool fits = !source[kept..].ContainsAnyExcept(filling)
                && (!step.From.IsSigned || kept == fromSize || (target[^1] & 0x80) == (filling & 0x80));
            if (!fits) return false;
        }

        return true;
    }
}
