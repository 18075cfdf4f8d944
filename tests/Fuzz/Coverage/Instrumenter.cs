using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Genkan.Fuzz.Coverage;

/// <summary>Makes a copy of an assembly whose basic blocks tell <see cref="EdgeMap"/> that they begin.</summary>
public static class Instrumenter
{
    /// <summary>Instruments an assembly.</summary>
    /// <param name="path">The assembly.</param>
    /// <param name="namespaceName">Only types of this namespace; null: all.</param>
    /// <param name="blockCount">Basic blocks found.</param>
    /// <returns>The copy, as octets of a portable executable.</returns>
    public static byte[] Instrument(string path, string? namespaceName, out int blockCount)
    {
        using DefaultAssemblyResolver resolver = new();
        resolver.AddSearchDirectory(Path.GetDirectoryName(path)!);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location)!);
        using AssemblyDefinition assembly =
            AssemblyDefinition.ReadAssembly(path, new ReaderParameters { AssemblyResolver = resolver });
        ModuleDefinition module = assembly.MainModule;
        MethodReference enter = Reference(module, nameof(EdgeMap.Enter));
        MethodReference hit = Reference(module, nameof(EdgeMap.Hit));

        // Equal for equal names: an input of an earlier build means the same edges as long as the method stays.
        blockCount = 0;
        IEnumerable<TypeDefinition> types = module.GetTypes();
        if (namespaceName is not null) types = types.Where(t => t.Namespace == namespaceName);
        foreach (MethodDefinition method in types.SelectMany(static t => t.Methods))
        {
            if (method.HasBody) blockCount += Instrument(method, enter, hit);
        }

        using MemoryStream copy = new();
        assembly.Write(copy);
        return copy.ToArray();
    }

    private static int Instrument(MethodDefinition method, MethodReference enter, MethodReference hit)
    {
        Mono.Cecil.Cil.MethodBody body = method.Body;
        body.SimplifyMacros();
        Instruction first = body.Instructions[0];
        List<Instruction> starts = BlockStarts(body);
        ILProcessor il = body.GetILProcessor();
        int id = HashOf(method.FullName);
        Dictionary<Instruction, Instruction> moved = [];
        foreach (Instruction start in starts)
        {
            // Knuth's multiplicative step: neighbouring blocks are far apart in the map.
            id = unchecked((int)(((uint)id + 1) * 2_654_435_761u));
            Instruction number = il.Create(OpCodes.Ldc_I4, id & (EdgeMap.Size - 1));
            il.InsertBefore(start, number);
            il.InsertBefore(start, il.Create(OpCodes.Call, start == first ? enter : hit));
            moved.Add(start, number);
        }

        Redirect(body, moved);
        body.OptimizeMacros();
        return starts.Count;
    }

    private static MethodReference Reference(ModuleDefinition module, string name)
    {
        MethodInfo method = typeof(EdgeMap).GetMethod(name) ?? throw new MissingMethodException(name);
        return module.ImportReference(method);
    }

    /// <summary>The method's start, every target of a branch and handler, and what stands behind a branch.</summary>
    private static List<Instruction> BlockStarts(Mono.Cecil.Cil.MethodBody body)
    {
        HashSet<Instruction> starts = [body.Instructions[0]];
        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand is Instruction target) starts.Add(target);
            if (instruction.Operand is Instruction[] targets) starts.UnionWith(targets);
            bool isBranch = instruction.OpCode.FlowControl is FlowControl.Cond_Branch;
            if (isBranch && instruction.Next is { } next) starts.Add(next);
        }

        foreach (Mono.Cecil.Cil.ExceptionHandler handler in body.ExceptionHandlers)
        {
            starts.Add(handler.HandlerStart);
            if (handler.FilterStart is { } filter) starts.Add(filter);
        }

        return [.. body.Instructions.Where(starts.Contains)];
    }

    private static void Redirect(Mono.Cecil.Cil.MethodBody body, Dictionary<Instruction, Instruction> moved)
    {
        Instruction New(Instruction old) => moved.GetValueOrDefault(old, old);
        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand is Instruction target) instruction.Operand = New(target);
            if (instruction.Operand is Instruction[] targets) instruction.Operand = targets.Select(New).ToArray();
        }

        foreach (Mono.Cecil.Cil.ExceptionHandler handler in body.ExceptionHandlers)
        {
            handler.TryStart = New(handler.TryStart);
            handler.TryEnd = handler.TryEnd is null ? null : New(handler.TryEnd);
            handler.HandlerStart = New(handler.HandlerStart);
            handler.HandlerEnd = handler.HandlerEnd is null ? null : New(handler.HandlerEnd);
            handler.FilterStart = handler.FilterStart is null ? null : New(handler.FilterStart);
        }
    }

    // FNV-1a: the same in every process, unlike string.GetHashCode.
    private static int HashOf(string name)
    {
        uint hash = 2_166_136_261;
        foreach (char c in name) hash = (hash ^ c) * 16_777_619;
        return (int)hash;
    }
}
