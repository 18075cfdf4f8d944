using System;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Testing.Kernel;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// Tells that all that a thread's packets have caused is done. Each CPU hands on what crosses a veth in the order in
/// which it came: once a marker has crossed a pair of its own, whatever this CPU had queued before has been handled.
/// </summary>
internal sealed unsafe class Fence : IDisposable
{
    // The longest way has this many queues one behind the other: over the agent's veth, over an uplink's, and back.
    private const int Crossings = 4;
    private const int AddressFamilyPacket = 17;
    private const int RawCloexec = 3 | 0x80000;
    private const ushort MarkerType = 0x88b5; // IEEE 802, local experimental
    private const int DeadlineMilliseconds = 20_000;
    private const short PollIn = 1;

    private readonly Netns _netns = new();
    private readonly FileDescriptor _from;
    private readonly FileDescriptor _to;

    public Fence()
    {
        (_from, _to) = _netns.Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.CreateVeth(new VethEnd("from"), new VethEnd("to"));
            foreach (string name in (string[])["from", "to"])
            {
                InterfaceSysctl.SetDisableIpv6(name, disabled: true);
                netlink.SetLink(netlink.FindLink(name)!.Ifindex, new LinkSettings { IsUp = true });
            }

            foreach (string name in (string[])["from", "to"])
                LinkWaiter.WaitUntilRunning(netlink.FindLink(name)!.Ifindex, TimeSpan.FromSeconds(20));
            return (Open(netlink.FindLink("from")!.Ifindex), Open(netlink.FindLink("to")!.Ifindex));
        });
    }

    /// <summary>Waits until what this thread has sent is where it ends.</summary>
    public void Pass()
    {
        Span<byte> marker = stackalloc byte[60];
        marker.Clear();
        marker[..6].Fill(0xff);
        marker[6] = 2;
        marker[12] = MarkerType >> 8;
        marker[13] = MarkerType & 0xff;
        for (int i = 0; i < Crossings; i++)
        {
            fixed (byte* at = marker) Demand(Libc.Send(_from.Value, at, marker.Length, 0), "send a marker");
            PollFd poll = new() { Fd = _to.Value, Events = PollIn };
            if (Libc.Poll(&poll, 1, DeadlineMilliseconds) != 1)
                throw new TimeoutException("A marker did not cross its veth within 20 s.");
            fixed (byte* at = marker) Demand(Libc.Recv(_to.Value, at, marker.Length, 0), "receive a marker");
        }
    }

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
        _netns.Dispose();
    }

    private static FileDescriptor Open(int ifindex)
    {
        int protocol = ((MarkerType & 0xff) << 8) | (MarkerType >> 8);
        FileDescriptor fd =
            FileDescriptor.Open(Libc.Socket(AddressFamilyPacket, RawCloexec, protocol), "socket(AF_PACKET)");
        byte* address = stackalloc byte[20]; // struct sockaddr_ll: family, protocol, ifindex
        new Span<byte>(address, 20).Clear();
        *(ushort*)address = AddressFamilyPacket;
        *(ushort*)(address + 2) = (ushort)protocol;
        *(int*)(address + 4) = ifindex;
        Demand(Libc.Bind(fd.Value, address, 20), "bind");
        return fd;
    }

    private static void Demand(nint result, string call)
    {
        if (result < 0) throw new KernelException(call, Libc.LastError);
    }
}
