namespace Genkan.Benchmarks.Ours;

/// <summary>What lies between the sender and the receiver on one host.</summary>
internal enum LocalPath
{
    /// <summary>One network.</summary>
    Bridged,

    /// <summary>Two networks and a router.</summary>
    Routed,

    /// <summary>A router with source NAT, and an uplink.</summary>
    Translated,
}
