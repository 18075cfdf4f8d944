namespace Genkan.Host.Api;

/// <summary>Paths on the agent's socket. GET but for the last two, which are POST.</summary>
public static class ApiRoutes
{
    /// <summary>Answers <see cref="StatusReport"/>.</summary>
    public const string Status = "/status";

    /// <summary>Answers an array of <see cref="PortReport"/>.</summary>
    public const string Ports = "/ports";

    /// <summary>Answers an array of <see cref="TenantReport"/>.</summary>
    public const string Tenants = "/tenants";

    /// <summary>
    /// Answers an array of <see cref="FlowReport"/>. Query: <c>port</c> (name, or its part after the slash),
    /// <c>state</c>
    /// (<c>forward</c>, <c>reply</c>, <c>none</c>), <c>drop</c> (<c>true</c>), <c>limit</c>.
    /// </summary>
    public const string Flows = "/flows";

    /// <summary>Answers an array of <see cref="DropReport"/>; reasons that never happened are left out.</summary>
    public const string Drops = "/drops";

    /// <summary>Answers Prometheus text.</summary>
    public const string Metrics = "/metrics";

    /// <summary>Takes <see cref="TraceRequest"/>, answers <see cref="TraceReport"/>.</summary>
    public const string Trace = "/trace";

    /// <summary>
    /// Takes nothing, answers <see cref="ReloadReport"/>; 400 with the errors if the file is wrong (nothing is
    /// applied).
    /// </summary>
    public const string Reload = "/reload";
}
