using System.Collections.Generic;
using System.Linq;
using Genkan.Host.Api;

namespace Genkan.Host.Configuration;

/// <summary>Mistakes as the API gives them.</summary>
internal static class DiagnosticReports
{
    /// <summary>All mistakes of a file.</summary>
    public static IReadOnlyList<DiagnosticReport> Of(TopologyFile file) =>
        [.. file.Diagnostics.Select(static d => new DiagnosticReport(
            d.Position.Line, d.Position.Column, d.Error.Path, d.Error.Rule, d.Error.Hint))];
}
