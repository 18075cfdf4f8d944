using System;
using Genkan.Datapath.Native;
using Genkan.Wire;

namespace Genkan.Datapath.Netlink;

/// <summary>
/// rtnetlink: links, addresses, routes, neighbours and tc filters of one network namespace, that of the thread which
/// opened this. Faults are <see cref="KernelException"/> with the kernel's extended words; removing what is not there
/// is no fault.
/// </summary>
public sealed partial class RouteSocket : IDisposable
{
    private const byte FamilyIpv4 = 2;
    private const byte FamilyIpv6 = 10;

    private readonly NetlinkSocket _socket = new();

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    private static byte FamilyOf(IpAddress address) => address.IsIpv4 ? FamilyIpv4 : FamilyIpv6;

    private static void Add(NetlinkMessage message, int type, IpAddress address)
    {
        Span<byte> octets = stackalloc byte[IpAddress.Ipv6Size];
        address.CopyTo(octets);
        message.Add(type, octets[..address.SizeOctets]);
    }

    private static void Add(NetlinkMessage message, int type, MacAddress mac)
    {
        Span<byte> octets = stackalloc byte[MacAddress.Size];
        mac.CopyTo(octets);
        message.Add(type, octets);
    }

    private void Demand(NetlinkMessage message, string what)
    {
        Errno error = _socket.Request(message, dump: false, reader: null, out string explanation);
        if (error != Errno.None) throw new KernelException($"netlink: {what}", error, explanation);
    }

    /// <summary>Asks for a removal.</summary>
    /// <returns>False if there was nothing to remove.</returns>
    private bool Remove(NetlinkMessage message, string what)
    {
        Errno error = _socket.Request(message, dump: false, reader: null, out string explanation);
        return error switch
        {
            Errno.None => true,
            Errno.ENODEV or Errno.ENOENT or Errno.ESRCH or Errno.EADDRNOTAVAIL => false,
            _ => throw new KernelException($"netlink: {what}", error, explanation),
        };
    }

    private void Dump(NetlinkMessage message, NetlinkReader reader, string what)
    {
        Errno error = _socket.Request(message, dump: true, reader, out string explanation);
        if (error != Errno.None) throw new KernelException($"netlink: {what}", error, explanation);
    }
}
