using System.Collections.Generic;

namespace Genkan.Host.Api;

/// <summary>What a reload did.</summary>
/// <param name="Revision">Revision of the topology that is in force now.</param>
/// <param name="ChangedObjects">Names of objects whose flows are decided anew.</param>
/// <param name="Warnings">Things an operator should know, e.g. an interface that does not exist.</param>
public sealed record ReloadReport(long Revision, IReadOnlyList<string> ChangedObjects, IReadOnlyList<string> Warnings);

/// <summary>The outcome of <c>config check</c>.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="IsGood">Whether it may be applied.</param>
/// <param name="Errors">What is wrong.</param>
/// <param name="Summary">How much of what it describes; null if something is wrong.</param>
public sealed record ConfigReport(
    string File, bool IsGood, IReadOnlyList<DiagnosticReport> Errors, ConfigSummary? Summary);

/// <summary>How much a file describes.</summary>
public sealed record ConfigSummary(
    int Hosts, int Uplinks, int Tenants, int Networks, int Routers, int Ports, int SecurityGroups, int FloatingIps);

/// <summary>A mistake in a file.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Path">The value's path, e.g. <c>tenants.red.ports[2].mac</c>; empty for the file.</param>
/// <param name="Rule">What is wrong.</param>
/// <param name="Hint">What to do, or empty.</param>
public sealed record DiagnosticReport(int Line, int Column, string Path, string Rule, string Hint);

/// <summary>Why a request was refused; the body of every answer that is not 2xx.</summary>
/// <param name="Error">A sentence.</param>
/// <param name="Hint">What to do, or empty.</param>
/// <param name="File">The file with <paramref name="Errors"/>, or null.</param>
/// <param name="Errors">Mistakes in it, or empty.</param>
public sealed record ProblemReport(
    string Error, string Hint = "", string? File = null, IReadOnlyList<DiagnosticReport>? Errors = null);
