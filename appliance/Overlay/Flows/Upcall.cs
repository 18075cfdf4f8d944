namespace Genkan.Overlay.Flows;

/// <summary>Why the kernel sent a packet up; equal to <c>enum upcall_kind</c>.</summary>
public enum UpcallKind : byte
{
    /// <summary>First packet of a flow that no table knows.</summary>
    Miss = 0,

    /// <summary>A packet that devices answer or translate: ARP, ND, DHCP, ICMP error.</summary>
    Control = 1,

    /// <summary>A packet of a flow whose first packet is on its way to the agent.</summary>
    Follower = 2,

    /// <summary>The flow's class has softly changed; the packet itself was forwarded, only its headers are
    /// here.</summary>
    Revalidate = 3,

    /// <summary>The flow is known, but the packet's TTL does not reach its end.</summary>
    HopLimit = 4,

    /// <summary>The packet is longer than the way out allows.</summary>
    TooBig = 5,

    /// <summary>A later fragment whose first one nobody has seen; or that first one, which has gone its way: others
    /// wait for it.</summary>
    Fragment = 6,
}

/// <summary>What the kernel says of a packet that it sends up; its frame follows apart.</summary>
/// <param name="Slot">Port slot where it entered.</param>
/// <param name="Kind">Why.</param>
/// <param name="State">State of the connection entry that was found, also a stale one.</param>
/// <param name="LengthOctets">Octets of the frame on the port.</param>
/// <param name="ClassId">Class of the entry found, for <see cref="UpcallKind.Revalidate"/>.</param>
/// <param name="Offload">Segmentation and VLAN tag, kept for re-injection.</param>
/// <param name="MtuOctets">MTU of the way out, for <see cref="UpcallKind.TooBig"/>; else 0.</param>
/// <param name="IsLeaving">Too big where it was to leave by an uplink, the slot: it is rewritten already.</param>
/// <param name="Budget">Index of the budget that paid for it, 0 none.</param>
public readonly record struct Upcall(
    uint Slot,
    UpcallKind Kind,
    ConnectionState State,
    uint LengthOctets,
    uint ClassId,
    FrameOffload Offload,
    uint MtuOctets = 0,
    bool IsLeaving = false,
    uint Budget = 0)
{
    /// <summary>Who is given what the agent does only so often: who paid, since behind an uplink's slot there is every
    /// tenant.</summary>
    public uint Payer => Budget != 0 ? Budget : Slot;
}
