namespace Genkan.Overlay.Topology;

/// <summary>Why a topology was refused. Control turns it into a line of the operator's own input.</summary>
/// <param name="Object">The object at fault, None if it is about the whole.</param>
/// <param name="Name">Its name, or how it was referred to.</param>
/// <param name="Rule">The rule that it breaks, as a sentence.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record TopologyFault(ObjectId Object, string Name, string Rule, string Hint)
{
    /// <summary>As an operator reads it.</summary>
    public override string ToString() => $"{Name}: {Rule} {Hint}";
}
