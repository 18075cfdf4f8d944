namespace Genkan.Lab.Tests.Agent;

/// <summary>A host on which <c>genkan run</c> can be started.</summary>
internal interface IAgentHost
{
    /// <summary>Its network namespace, as under /run/netns.</summary>
    string Namespace { get; }

    /// <summary><c>genkan run</c> with all it needs there.</summary>
    string[] RunArguments();
}
