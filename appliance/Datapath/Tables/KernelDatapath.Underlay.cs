using System.Linq;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Netlink;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Outer headers by our own programs where that is sure, by the kernel's device where it is not (decisions/0012).
/// </summary>
public sealed partial class KernelDatapath
{
    /// <summary>Whether programs may put outer headers on and take them off themselves; counts from the next
    /// <see cref="Apply"/>.</summary>
    public bool IsDirectWanted { get; set; } = true;

    /// <summary>The interface where they do, or null.</summary>
    public string? DirectInterface { get; private set; }

    /// <summary>Why they do not, as words for the operator; empty if they do.</summary>
    public string WhyNotDirect { get; private set; } = "";

    // Asked each time: the interface may have been made anew, the address have moved, a policy have come.
    private void AttachUnderlay(HostPlan plan, BpfProgram program)
    {
        LinkInfo? link = _devices.EthernetOf(_options.UnderlayAddress);
        WhyNotDirect = Obstacle(plan, link);
        DirectInterface = WhyNotDirect.Length == 0 ? link?.Name : null;
        ref SettingsEntry settings = ref _tables.Settings;
        if (DirectInterface is null)
        {
            settings.UnderlayIfindex = 0; // the program goes with the attachments that nobody wants
            return;
        }

        AddressOctets octets = AddressOctets.Of(_options.UnderlayAddress);
        settings.UnderlayIpv4 = MemoryMarshal.Read<uint>(octets);
        (settings.SourcePortFirst, settings.SourcePortCount) = _devices.SourcePorts();
        // bpf_fib_lookup answers only for interfaces that forward; from_tunnel stands there, and lets nothing through.
        InterfaceSysctl.Write("ipv4", HostDevices.Vxlan, "forwarding", "1");
        settings.UnderlayIfindex = (uint)link!.Ifindex;
        _attachments.Value.Want(settings.UnderlayIfindex, program);
    }

    private string Obstacle(HostPlan plan, LinkInfo? link)
    {
        if (!IsDirectWanted) return "the file says encapsulation: kernel";
        if (!_options.UnderlayAddress.IsIpv4) return "the underlay is IPv6";
        if (link is null) return "the underlay's address is on no Ethernet interface";
        // What would be sent past the policies would be sent in the clear.
        if (_watch.HasIpsec) return "this host has IPsec policies";
        return plan.Ports.Any(p => p.Interface == link.Name) ? $"ports are bound to {link.Name}" : "";
    }
}
