using System;

namespace Genkan.Datapath.Layout;

/// <summary><c>enum port_kind</c>.</summary>
internal enum PortKind : byte
{
    Unused = 0,
    Tenant = 1,
    Uplink = 2,
    L2External = 3,
    Pseudo = 4,
}

/// <summary><c>enum port_flags</c>.</summary>
[Flags]
internal enum PortFlags : byte
{
    None = 0,
    AdminDown = 1 << 0,
    Peer = 1 << 1,
    L3Key = 1 << 2,
}

/// <summary><c>enum conn_flags</c>.</summary>
[Flags]
internal enum ConnFlags : byte
{
    None = 0,
    Commit = 1 << 0,
}

/// <summary><c>enum nexthop_kind</c>.</summary>
internal enum NexthopKind : byte
{
    None = 0,
    Port = 1,
    Tunnel = 2,
    FibExit = 3,
    Replicate = 4,
    Deliver = 5,
}

/// <summary><c>enum mark_kind</c>.</summary>
internal enum MarkKind : byte
{
    AsIfFromPort = 1,
    Output = 2,
}

/// <summary>Flags of an upcall; equal to <c>enum upcall_flags</c>.</summary>
[Flags]
public enum UpcallFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Fewer octets were captured than the frame has.</summary>
    Truncated = 1 << 0,

    /// <summary>From a tunnel with the commit bit.</summary>
    Commit = 1 << 1,

    /// <summary>From a tunnel.</summary>
    Tunnel = 1 << 2,

    /// <summary>Too big where it was to leave by an uplink; it is rewritten already.</summary>
    Leaving = 1 << 3,
}

/// <summary><c>enum fragment_flags</c>.</summary>
[Flags]
internal enum FragmentFlags : uint
{
    None = 0,
    First = 1 << 0,
    Awaited = 1 << 1,
    Overlap = 1 << 2,
    Whole = 1 << 3,
    Agent = 1 << 4,
}
