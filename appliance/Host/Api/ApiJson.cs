using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Genkan.Host.Api;

/// <summary>JSON of the agent's socket and of <c>--json</c>: snake_case, absent for null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(IReadOnlyList<PortReport>))]
[JsonSerializable(typeof(PortReport))]
[JsonSerializable(typeof(IReadOnlyList<TenantReport>))]
[JsonSerializable(typeof(IReadOnlyList<FlowReport>))]
[JsonSerializable(typeof(IAsyncEnumerable<FlowReport>))]
[JsonSerializable(typeof(IReadOnlyList<DropReport>))]
[JsonSerializable(typeof(TraceRequest))]
[JsonSerializable(typeof(TraceReport))]
[JsonSerializable(typeof(ReloadReport))]
[JsonSerializable(typeof(ConfigReport))]
[JsonSerializable(typeof(ProblemReport))]
public sealed partial class ApiJson : JsonSerializerContext;
