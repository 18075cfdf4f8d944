using System;
using System.Globalization;
using System.Text;

namespace Genkan.Overlay.Topology;

/// <summary>
/// Names one object of the virtual topology for good: 64-bit FNV-1a over <c>kind/name</c>, so that every host, every
/// restart and every pinned table agree on it without asking anybody. <see cref="Genkan.Overlay.Topology"/> refuses
/// two objects with one id.
/// </summary>
/// <param name="Value">The hash; 0 is <see cref="None"/> and never an object.</param>
public readonly record struct ObjectId(ulong Value) : IComparable<ObjectId>
{
    private const ulong OffsetBasis = 0xcbf29ce484222325;
    private const ulong Prime = 0x100000001b3;

    /// <summary>No object.</summary>
    public static ObjectId None => default;

    /// <summary>The low half, which kernel tables keep where 32 bits are enough to tell routers apart.</summary>
    public uint Zone => (uint)Value;

    /// <summary>Computes the id of an object.</summary>
    /// <param name="kind">Singular noun of the model, e.g. <c>port</c>.</param>
    /// <param name="name">The object's full name, e.g. <c>red/red-a</c>.</param>
    public static ObjectId Of(string kind, string name)
    {
        ulong hash = OffsetBasis;
        foreach (byte octet in Encoding.UTF8.GetBytes($"{kind}/{name}"))
        {
            hash = (hash ^ octet) * Prime;
        }

        return new ObjectId(hash == 0 ? 1 : hash);
    }

    /// <summary>An id that belongs to this object but names another aspect of it, e.g. the members of a
    /// bridge.</summary>
    /// <param name="aspect">Small number, unique among the aspects of one kind.</param>
    public ObjectId Aspect(byte aspect) => new(((Value ^ aspect) * Prime) | 1);

    /// <inheritdoc/>
    public int CompareTo(ObjectId other) => Value.CompareTo(other.Value);

    /// <summary>Whether the number is smaller; the order carries no meaning but is the same everywhere.</summary>
    public static bool operator <(ObjectId left, ObjectId right) => left.Value < right.Value;

    /// <summary>Whether the number is larger.</summary>
    public static bool operator >(ObjectId left, ObjectId right) => left.Value > right.Value;

    /// <summary>Whether the number is not larger.</summary>
    public static bool operator <=(ObjectId left, ObjectId right) => left.Value <= right.Value;

    /// <summary>Whether the number is not smaller.</summary>
    public static bool operator >=(ObjectId left, ObjectId right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
