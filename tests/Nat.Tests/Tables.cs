using System;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Nat.Tests;

/// <summary>Words that the tests of the table share.</summary>
internal static class Tables
{
    internal const ulong Zone = 7;
    internal const ulong Seed = 42;

    internal static readonly IpAddress PublicA = Ip(203, 0, 113, 1);
    internal static readonly IpAddress PublicB = Ip(203, 0, 113, 2);
    internal static readonly IpAddress Server = Ip(198, 51, 100, 1);

    internal static IpAddress Ip(byte a, byte b, byte c, byte d) =>
        new(new UInt128(0, 0xFFFF_0000_0000 | ((ulong)a << 24) | ((ulong)b << 16) | ((ulong)c << 8) | d));

    internal static IpAddress Host(int number) => Ip(10, 0, (byte)(number >> 8), (byte)number);

    internal static NatRequest Udp(int host, int port, int destinationPort = 53) => new(
        Zone, IpProtocol.Udp, Host(host), (ushort)port, Server, (ushort)destinationPort);

    internal static NatRequest Of(IpProtocol protocol, int host, int port) => new(
        Zone, protocol, Host(host), (ushort)port, Server, 80);

    internal static NatTable Make(params NatBlock[] blocks) =>
        Make(NatLimits.Default with { BindingsMax = 4_096 }, blocks);

    internal static NatTable Make(NatLimits limits, params NatBlock[] blocks)
    {
        NatTable table = new(limits, NatTimeouts.Default, Seed);
        table.SetBlocks(Zone, blocks).ShouldBeEmpty();
        return table;
    }

    internal static NatBinding Bind(this NatTable table, in NatRequest request, double seconds = 0)
    {
        table.TryBind(request, TimeSpan.FromSeconds(seconds), out NatBinding binding, out NatRefusal refusal)
            .ShouldBeTrue();
        refusal.ShouldBe(NatRefusal.None);
        return binding;
    }

    internal static NatRefusal Refusal(this NatTable table, in NatRequest request)
    {
        table.TryBind(request, TimeSpan.Zero, out NatBinding binding, out NatRefusal refusal).ShouldBeFalse();
        binding.ShouldBe(default);
        return refusal;
    }

    internal static bool IsBound(this NatTable table, in NatRequest request) => table.TryFind(request, out _);
}
