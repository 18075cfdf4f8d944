using System;
using System.Collections.Frozen;
using System.IO;
using System.Reflection;
using System.Runtime.Loader;
using Genkan.Fuzz.Planted;

namespace Genkan.Fuzz.Coverage;

/// <summary>
/// The fuzzer loaded a second time, over instrumented copies of what it tests, in the same process. The copies exist
/// in memory alone: nobody can mistake one for the product.
/// </summary>
public sealed class InstrumentedContext : AssemblyLoadContext
{
    private static readonly FrozenSet<string> Tested =
        FrozenSet.Create("Genkan.Wire", "Genkan.Nat", "Genkan.Overlay", "Genkan.Control", "Genkan.Datapath", "genkan",
            "YamlDotNet");

    private static readonly Lazy<InstrumentedContext> Only = new(static () => new InstrumentedContext());

    private InstrumentedContext()
        : base("instrumented")
    {
    }

    /// <summary>Basic blocks of the copies loaded so far.</summary>
    public int BlockCount { get; private set; }

    /// <summary>Calls <see cref="Session.Run"/> of the second copy.</summary>
    /// <returns>Its exit code.</returns>
    public static int Run(string[] arguments, TextWriter output, Func<bool> isStopping)
    {
        Assembly copy = Only.Value.LoadFromAssemblyName(typeof(Session).Assembly.GetName());
        MethodInfo run = copy.GetType(typeof(Session).FullName!)!.GetMethod(nameof(Session.Run))!;
        return (int)run.Invoke(
            null, BindingFlags.DoNotWrapExceptions, null, [arguments, output, isStopping], null)!;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string path = Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll");
        string? only = assemblyName.Name == "Genkan.Fuzz" ? typeof(PlantedTarget).Namespace : null;
        if (only is null && !Tested.Contains(assemblyName.Name!)) return null;
        byte[] copy = Instrumenter.Instrument(path, only, out int blockCount);
        BlockCount += blockCount;
        return LoadFromStream(new MemoryStream(copy));
    }
}
