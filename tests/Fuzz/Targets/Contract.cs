using Genkan.Fuzz.Engine;

namespace Genkan.Fuzz.Targets;

internal static class Contract
{
    /// <summary>Demands what must hold for every input.</summary>
    /// <param name="holds">Whether it does.</param>
    /// <param name="sentence">What must hold; what stands behind a colon does not tell two faults apart.</param>
    public static void Require(bool holds, string sentence)
    {
        if (!holds) throw new ContractException(sentence);
    }
}
