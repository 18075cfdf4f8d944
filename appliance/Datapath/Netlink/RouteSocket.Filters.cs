using System;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Netlink;

public sealed partial class RouteSocket
{
    /// <summary>Our filter's priority; filters of others stand before or after it.</summary>
    public const ushort FilterPriority = 0x6E4B;

    private const uint FilterHandle = 1;
    private const uint ClsactHandle = 0xFFFF0000;
    private const uint ClsactParent = 0xFFFFFFF1;
    private const uint IngressParent = 0xFFFFFFF2;
    private const uint EgressParent = 0xFFFFFFF3;
    private const uint AllProtocolsNetworkOrder = 0x0300; // ETH_P_ALL

    /// <summary>
    /// Puts a program on an interface by cls_bpf with direct action, for kernels without tcx: makes the clsact qdisc if
    /// need be, and replaces our former program between two packets. Unlike a pinned link it needs no pin to outlive
    /// the agent.
    /// </summary>
    /// <exception cref="KernelException">Refused.</exception>
    public void SetFilter(int ifindex, TcxHook hook, BpfProgram program)
    {
        TrafficControlHeader qdisc = new() { Ifindex = ifindex, Handle = ClsactHandle, Parent = ClsactParent };
        NetlinkMessage clsact = new(
            NetlinkType.NewQdisc, NetlinkFlags.Create | NetlinkFlags.Exclusive, FixedPart.Of(qdisc));
        clsact.AddText(TrafficControlAttribute.Kind, "clsact");
        Errno error = _socket.Request(clsact, dump: false, reader: null, out string explanation);
        if (error is not (Errno.None or Errno.EEXIST))
        {
            throw new KernelException($"netlink: clsact on interface {ifindex}", error, explanation);
        }

        NetlinkMessage message = new(
            NetlinkType.NewFilter, NetlinkFlags.Create | NetlinkFlags.Replace, FixedPart.Of(Filter(ifindex, hook)));
        message.AddText(TrafficControlAttribute.Kind, "bpf");
        int options = message.Open(TrafficControlAttribute.Options);
        message.AddUInt32(TrafficControlAttribute.BpfFd, (uint)program.Fd.Value);
        message.AddText(TrafficControlAttribute.BpfName, program.Name);
        message.AddUInt32(TrafficControlAttribute.BpfFlags, TrafficControlAttribute.BpfFlagDirectAction);
        message.Close(options);
        Demand(message, $"filter {program.Name} on {hook} of interface {ifindex}");
        GC.KeepAlive(program);
    }

    /// <summary>Takes our filter off an interface; the clsact qdisc stays, since others may use it.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="KernelException">Refused.</exception>
    public bool DeleteFilter(int ifindex, TcxHook hook)
    {
        NetlinkMessage message = new(
            NetlinkType.DelFilter, NetlinkFlags.None, FixedPart.Of(Filter(ifindex, hook)));
        message.AddText(TrafficControlAttribute.Kind, "bpf");
        return FindFilterProgramId(ifindex, hook) is not null
            && Remove(message, $"delete filter of interface {ifindex}");
    }

    /// <summary>The number of the program that our filter runs, or null if there is none.</summary>
    /// <exception cref="KernelException">Refused for another reason.</exception>
    public uint? FindFilterProgramId(int ifindex, TcxHook hook)
    {
        uint? found = null;
        NetlinkMessage message = new(
            NetlinkType.GetFilter, NetlinkFlags.None, FixedPart.Of(Filter(ifindex, hook)));
        message.AddText(TrafficControlAttribute.Kind, "bpf");
        Errno error = _socket.Request(message, dump: false, Read, out string explanation);
        return error switch
        {
            Errno.None => found,
            Errno.ENOENT or Errno.ENODEV or Errno.EINVAL => null, // EINVAL: no clsact on the interface
            _ => throw new KernelException($"netlink: find filter of interface {ifindex}", error, explanation),
        };

        void Read(NetlinkType type, ReadOnlySpan<byte> body)
        {
            if (!FixedPart.TrySplit(body, out TrafficControlHeader _, out NetlinkAttributes attributes)) return;
            while (attributes.TryNext())
            {
                if (attributes.Type != TrafficControlAttribute.Options) continue;
                NetlinkAttributes options = new(attributes.Value);
                while (options.TryNext())
                {
                    if (options.Type == TrafficControlAttribute.BpfId) found = options.UInt32;
                }
            }
        }
    }

    private static TrafficControlHeader Filter(int ifindex, TcxHook hook) => new()
    {
        Ifindex = ifindex,
        Handle = FilterHandle,
        Parent = hook == TcxHook.Ingress ? IngressParent : EgressParent,
        Info = ((uint)FilterPriority << 16) | AllProtocolsNetworkOrder,
    };
}
