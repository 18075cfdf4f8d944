using System.Runtime.InteropServices;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct upcall</c>: the octets captured come after it.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct UpcallHeader
{
    /// <summary>Octets in front of those captured.</summary>
    internal const int Size = 64;

    [FieldOffset(0)] internal ulong TimeNs;
    [FieldOffset(8)] internal uint Port;
    [FieldOffset(12)] internal uint Length;
    [FieldOffset(16)] internal uint Captured;
    [FieldOffset(20)] internal UpcallKind Kind;
    [FieldOffset(21)] internal ConnectionState State;
    [FieldOffset(22)] internal UpcallFlags Flags;
    [FieldOffset(24)] internal uint GsoSize;
    [FieldOffset(28)] internal uint GsoSegs;
    [FieldOffset(32)] internal uint VlanTci;
    [FieldOffset(36)] internal uint VtepHost;
    [FieldOffset(40)] internal uint ClassId;
    [FieldOffset(44)] internal uint FlowDigest;
    [FieldOffset(48)] internal uint Mtu;
    [FieldOffset(52)] internal uint Nexthop;
    [FieldOffset(56)] internal uint Budget;
}

/// <summary><c>struct settings</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct SettingsEntry
{
    [FieldOffset(0)] internal uint LayoutVersion;
    [FieldOffset(4)] internal uint CompatibleVersion;
    [FieldOffset(8)] internal uint VxlanIfindex;
    [FieldOffset(12)] internal uint AgentIfindex;
    [FieldOffset(16)] internal ushort VxlanPort;
    [FieldOffset(18)] internal ushort MtuAlways;
    [FieldOffset(20)] internal ushort SourcePortFirst;
    [FieldOffset(22)] internal ushort SourcePortCount;
    [FieldOffset(24)] internal ulong HeartbeatNs;
    [FieldOffset(32)] internal ulong DigestSeed;
    [FieldOffset(40)] internal uint UnderlayIfindex;
    [FieldOffset(44)] internal uint UnderlayIpv4; // wire order
}
