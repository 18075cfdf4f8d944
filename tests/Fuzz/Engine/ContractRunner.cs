using System;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Genkan.Fuzz.Coverage;

namespace Genkan.Fuzz.Engine;

/// <summary>What went wrong in a run.</summary>
/// <param name="Kind">Equal for inputs that go wrong at the same place.</param>
/// <param name="Text">One line for a human.</param>
public sealed record Fault(string Kind, string Text);

/// <summary>Runs inputs under the contract.</summary>
internal static class ContractRunner
{
    /// <summary>Runs one input.</summary>
    /// <returns>The fault, or null.</returns>
    public static Fault? TryRun(IFuzzTarget target, ReadOnlySpan<byte> input)
    {
        Fault? fault = RunOnce(target, input, out long allocated);
        if (fault is not null || target.AllocationMax is not { } max) return fault;

        // Memory that the first run takes for good is no part of the contract.
        long allowed = ((long)max.EachOctet * input.Length) + max.Besides;
        if (allocated <= allowed) return null;
        fault = RunOnce(target, input, out allocated);
        if (fault is not null || allocated <= allowed) return fault;
        return new Fault("allocation", string.Create(CultureInfo.InvariantCulture,
            $"{allocated} octets allocated for an input of {input.Length}; the limit is {allowed}"));
    }

    private static Fault? RunOnce(IFuzzTarget target, ReadOnlySpan<byte> input, out long allocated)
    {
        (int eachOctet, int besides) = target.StepsMax;
        long before = GC.GetAllocatedBytesForCurrentThread();
        EdgeMap.Begin(((long)eachOctet * input.Length) + besides);
        try
        {
            target.Run(input);
            return null;
        }
#pragma warning disable CA1031 // the contract is that there is none, of whatever type
        catch (Exception fault)
#pragma warning restore CA1031
        {
            string at = Place(fault);
            string kind = fault is ContractException or BudgetException
                ? fault.Message.Split(':')[0]
                : $"{fault.GetType().Name} at {at}";
            return new Fault(kind, $"{fault.GetType().Name}: {fault.Message} at {at}");
        }
        finally
        {
            EdgeMap.End();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    // A method without its line: instrumented copies have no symbols, and lines move.
    private static string Place(Exception fault)
    {
        foreach (StackFrame frame in new StackTrace(fault).GetFrames())
        {
            MethodBase? method = frame.GetMethod();
            string name = method?.DeclaringType?.Assembly.GetName().Name ?? "";
            bool isOurs = name is "genkan" or "YamlDotNet" || name.StartsWith("Genkan.", StringComparison.Ordinal);
            if (isOurs && method!.DeclaringType != typeof(EdgeMap))
                return $"{method.DeclaringType!.Name}.{method.Name}";
        }

        return "nowhere";
    }
}
