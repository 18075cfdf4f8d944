using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Genkan.Fuzz.Engine;
using Genkan.Wire;
using Genkan.Wire.Dhcp;

namespace Genkan.Fuzz.Targets;

/// <summary>DHCPv4 messages: what decodes encodes to what decodes equal.</summary>
internal sealed class Dhcp4Target : IFuzzTarget
{
    private readonly byte[] _room = new byte[4 * WireLimits.DhcpLengthMax];

    public string Name => "dhcp4";

    public int InputMax => WireLimits.DhcpLengthMax + 64;

    public (int EachOctet, int Besides)? AllocationMax => (256, 16_384);

    public (int EachOctet, int Besides) StepsMax => (2048, 50_000);

    public IEnumerable<byte[]> Seeds => PacketSeeds.PayloadsOf(DhcpMessage.ServerPort, DhcpMessage.ClientPort);

    public IReadOnlyList<byte[]> Words =>
        [[53, 1, 1], [53, 1, 3], [55, 1, 6], [50, 4, 10, 0, 1, 11], [52, 1, 3], [61, 2, 1, 2], [121, 5, 0, 10, 0, 0, 1],
            [0xff], [57, 2, 5, 0xdc], [119, 3, 1, 97, 0], [0x63, 0x82, 0x53, 0x63]];

    public void Run(ReadOnlySpan<byte> input)
    {
        DhcpFault fault = DhcpMessage.TryDecode(input, out DhcpMessage? message);
        Contract.Require((fault == DhcpFault.None) == (message is not null), "a message or a fault");
        if (message is null) return;
        foreach (DhcpOption option in message.Options)
            _ = DhcpOption.TryReadClasslessRoutes(option.Data.Span, out ImmutableArray<ClasslessRoute> _);
        int length = message.Encode(_room, out int omitted);
        Contract.Require(omitted == 0, "what came in one message fits into a longer one");
        if (length > WireLimits.DhcpLengthMax) return;
        fault = DhcpMessage.TryDecode(_room.AsSpan(0, length), out DhcpMessage? again);
        Contract.Require(fault == DhcpFault.None, $"what was encoded decodes: {fault}");
        Contract.Require(message.Equals(again), "and is the same message");
    }
}

/// <summary>DHCPv6 messages and identity associations.</summary>
internal sealed class Dhcp6Target : IFuzzTarget
{
    private readonly byte[] _room = new byte[4 * WireLimits.DhcpLengthMax];

    public string Name => "dhcp6";

    public int InputMax => WireLimits.DhcpLengthMax + 64;

    public (int EachOctet, int Besides)? AllocationMax => (256, 16_384);

    public (int EachOctet, int Besides) StepsMax => (2048, 50_000);

    public IEnumerable<byte[]> Seeds => PacketSeeds.PayloadsOf(Dhcpv6Message.ServerPort, Dhcpv6Message.ClientPort);

    public IReadOnlyList<byte[]> Words =>
        [[0, 1, 0, 4, 0, 1, 0, 1], [0, 3, 0, 12], [0, 6, 0, 2, 0, 23], [0, 8, 0, 2, 0, 0], [0, 14, 0, 0], [0, 25],
            [0, 5, 0, 24], [0, 13, 0, 2, 0, 0]];

    public void Run(ReadOnlySpan<byte> input)
    {
        DhcpFault fault = Dhcpv6Message.TryDecode(input, out Dhcpv6Message? message);
        Contract.Require((fault == DhcpFault.None) == (message is not null), "a message or a fault");
        if (message is null) return;
        foreach (Dhcpv6Option option in message.Options)
        {
            if (IdentityAssociation.TryDecode(option.Data.Span, out IdentityAssociation? found) != DhcpFault.None)
                continue;
            IdentityAssociation.TryDecode(found!.ToOption().Data.Span, out IdentityAssociation? same);
            Contract.Require(found.Equals(same), "an identity association is the same again");
        }

        int length = message.Encode(_room);
        fault = Dhcpv6Message.TryDecode(_room.AsSpan(0, length), out Dhcpv6Message? again);
        Contract.Require(fault == DhcpFault.None && message.Equals(again), "and is the same message");
    }
}

/// <summary>Names, addresses and prefixes, as octets and as text.</summary>
internal sealed class NamesTarget : IFuzzTarget
{
    private readonly byte[] _room = new byte[WireLimits.DomainNameLengthMax + 2];

    public string Name => "names";

    public int InputMax => 512;

    public (int EachOctet, int Besides)? AllocationMax => (512, 16_384);

    public (int EachOctet, int Besides) StepsMax => (1024, 50_000);

    public IEnumerable<byte[]> Seeds =>
    [
        [3, 114, 101, 100, 7, 101, 120, 97, 109, 112, 108, 101, 0, 1, 97, 0xc0, 4], "2001:db8::1.2.3.4/64"u8.ToArray(),
        "10.0.1.11/24"u8.ToArray(), "fa:16:3e:00:01:11"u8.ToArray(), "red.example."u8.ToArray(),
        [8, 0, 0, 0, 0, 0, 5, 0],
    ];

    public IReadOnlyList<byte[]> Words =>
        ["::"u8.ToArray(), "/128"u8.ToArray(), "255"u8.ToArray(), ":ffff:"u8.ToArray(), [0xc0, 0], "%1"u8.ToArray()];

    public void Run(ReadOnlySpan<byte> input)
    {
        RunOctets(input);
        string text = Encoding.Latin1.GetString(input);
        if (IpAddress.TryParse(text, out IpAddress address))
            Contract.Require(IpAddress.Parse(address.ToString()) == address, "an address reads as it is written");
        if (IpPrefix.TryParse(text, out IpPrefix prefix))
            Contract.Require(IpPrefix.Parse(prefix.ToString()) == prefix, "a prefix reads as it is written");
        if (IpInterface.TryParse(text, out IpInterface both))
            Contract.Require(IpInterface.Parse(both.ToString()) == both, "an interface reads as it is written");
        if (MacAddress.TryParse(text, CultureInfo.InvariantCulture, out MacAddress mac))
            Contract.Require(MacAddress.Parse(mac.ToString()) == mac, "a MAC address reads as it is written");
        if (!DomainName.IsValid(text)) return;
        Contract.Require(DomainName.TryEncode(text, _room, out int length), "a valid name can be written");
        int at = 0;
        bool isRead = DomainName.TryDecode(_room.AsSpan(0, length), ref at, out string name);
        Contract.Require(isRead && at == length && name == text.TrimEnd('.'), "a name reads as it is written");
    }

    private static void RunOctets(ReadOnlySpan<byte> input)
    {
        int at = 0;
        if (DomainName.TryDecode(input, ref at, out string name, allowsPointers: true))
            Contract.Require(name.Length == 0 || DomainName.IsValid(name), "what is read is a valid name");
        _ = DomainName.TryDecodeList(input, out ImmutableArray<string> _, allowsPointers: true);
        _ = DomainName.TryDecodeList(input, out ImmutableArray<string> names);
        foreach (string one in names) Contract.Require(DomainName.IsValid(one), "and so are those of a list");
        if (VxlanHeader.Decode(input, out VxlanHeader header) != System.Buffers.OperationStatus.Done) return;
        Contract.Require(header.Vni <= 0xff_ffff, "a VNI has 24 bits");
    }
}
