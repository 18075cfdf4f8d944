using System;
using System.Collections.Generic;
using System.Linq;

namespace Genkan.Datapath.Bpf;

/// <summary>A number, or an array of numbers, in a key or value.</summary>
/// <param name="Name">Dotted name; empty if the key or value is itself a number.</param>
/// <param name="At">Offset in octets.</param>
/// <param name="ElementSize">Octets of one number.</param>
/// <param name="Count">Elements; 1 of a plain number.</param>
/// <param name="IsSigned">Whether it can be negative.</param>
internal sealed record BtfField(string Name, int At, int ElementSize, int Count, bool IsSigned)
{
    /// <summary>The name without the structs around it.</summary>
    internal string LastName => Name[(Name.LastIndexOf('.') + 1)..];
}

/// <summary>Where the fields of a key or value are.</summary>
internal sealed class BtfLayout(int size, IReadOnlyList<BtfField> fields) : IEquatable<BtfLayout>
{
    /// <summary>Octets.</summary>
    internal int Size => size;

    /// <summary>Fields in the order of the source.</summary>
    internal IReadOnlyList<BtfField> Fields => fields;

    /// <summary>The field of a name, or null.</summary>
    internal BtfField? Find(string name) => fields.FirstOrDefault(f => f.Name == name);

    /// <inheritdoc/>
    public bool Equals(BtfLayout? other) =>
        other is not null && other.Size == size && other.Fields.SequenceEqual(fields);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BtfLayout);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(size, fields.Count);
}
