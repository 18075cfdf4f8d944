using System;
using System.IO;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Netlink;

/// <summary>
/// Settings of one interface under /proc/sys/net, in the namespace of the calling thread (the kernel looks at the
/// thread that opens the file).
/// </summary>
public static class InterfaceSysctl
{
    /// <summary>Whether the kernel forwards what it receives there.</summary>
    public static void SetForwarding(string interfaceName, bool ipv4, bool ipv6)
    {
        Write("ipv4", interfaceName, "forwarding", ipv4 ? "1" : "0");
        Write("ipv6", interfaceName, "forwarding", ipv6 ? "1" : "0");
    }

    /// <summary>Turns the kernel's own IPv6 off: no link-local address, no solicitations.</summary>
    public static void SetDisableIpv6(string interfaceName, bool disabled) =>
        Write("ipv6", interfaceName, "disable_ipv6", disabled ? "1" : "0");

    /// <summary>
    /// Reverse path filter (RFC 3704): 0 off, 1 strict, 2 loose. The kernel takes the greater of this and <c>all</c>.
    /// </summary>
    public static void SetReversePathFilter(string interfaceName, int mode) =>
        Write("ipv4", interfaceName, "rp_filter", mode switch { 0 => "0", 1 => "1", _ => "2" });

    /// <summary>Whether the kernel heeds router advertisements (RFC 4861): 0 no, 1 unless forwarding, 2 yes.</summary>
    public static void SetAcceptRouterAdvertisements(string interfaceName, int mode) =>
        Write("ipv6", interfaceName, "accept_ra", mode switch { 0 => "0", 1 => "1", _ => "2" });

    /// <summary>Writes any setting of an interface.</summary>
    /// <param name="family"><c>ipv4</c> or <c>ipv6</c>.</param>
    /// <param name="interfaceName">Interface, or <c>all</c>, or <c>default</c>.</param>
    /// <param name="setting">File name.</param>
    /// <param name="value">Value.</param>
    /// <exception cref="KernelException">Refused, or there is no such interface or setting.</exception>
    public static void Write(string family, string interfaceName, string setting, string value)
    {
        string path = PathOf(family, interfaceName, setting);
        try
        {
            File.WriteAllText(path, value);
        }
        catch (IOException e)
        {
            Errno error = e is FileNotFoundException or DirectoryNotFoundException ? Errno.ENOENT : Errno.EIO;
            throw new KernelException($"write {value} to {path}", error, e.Message);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new KernelException($"write {value} to {path}", Errno.EACCES, e.Message);
        }
    }

    /// <summary>Reads any setting of an interface.</summary>
    /// <exception cref="KernelException">There is no such interface or setting.</exception>
    public static string Read(string family, string interfaceName, string setting)
    {
        string path = PathOf(family, interfaceName, setting);
        return File.Exists(path)
            ? File.ReadAllText(path).TrimEnd('\n')
            : throw new KernelException($"read {path}", Errno.ENOENT);
    }

    private static string PathOf(string family, string interfaceName, string setting) =>
        Path.Combine("/proc/sys/net", family, "conf", interfaceName, setting);
}
