using System;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Genkan.Wire.Tests;

/// <summary>MAC and IP addresses, their text (RFC 4291 §2.2, RFC 5952 §4) and prefixes.</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("02:00:00:00:00:01", 0x0200_0000_0001UL)]
    [InlineData("FF-fe-80-7f-00-10", 0xFFFE_807F_0010UL)]
    public void A_MAC_address_is_read_with_colons_or_hyphens(string text, ulong value)
    {
        MacAddress.Parse(text).Value.ShouldBe(value);
        MacAddress.Parse(text).ToString().ShouldBe(text.Replace('-', ':').ToLowerInvariant());
    }

    [Theory]
    [InlineData("")]
    [InlineData("02:00:00:00:00")]
    [InlineData("02:00:00:00:00:0g")]
    [InlineData("02:00:00-00:00:01")]
    [InlineData("02:00:00:00:00:01 ")]
    [InlineData("+2:00:00:00:00:01")]
    [InlineData("020000000001")]
    public void Other_text_is_no_MAC_address(string text) => MacAddress.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_MAC_address_keeps_its_octets_and_knows_its_kind()
    {
        byte[] octets = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];
        byte[] copy = new byte[6];
        MacAddress mac = MacAddress.FromOctets(octets);
        mac.CopyTo(copy);
        copy.ShouldBe(octets);
        (mac.IsMulticast, mac.IsLocal, mac.IsZero).ShouldBe((false, true, false));
        MacAddress.Broadcast.IsMulticast.ShouldBeTrue();
        MacAddress.OfMulticastGroup(IpAddress.Parse("224.129.2.3")).ToString().ShouldBe("01:00:5e:01:02:03");
        MacAddress.OfMulticastGroup(IpAddress.Parse("ff02::1:ff00:a")).ToString().ShouldBe("33:33:ff:00:00:0a");
    }

    [Theory]
    [InlineData("10.0.1.1")]
    [InlineData("0.0.0.0")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("2001:db8::1")]
    [InlineData("2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1::1")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("ff02::1:ff00:a")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void Text_in_the_recommended_form_comes_back(string text) => IpAddress.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData("2001:DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("64:ff9b::10.0.1.1", "64:ff9b::a00:101")]
    [InlineData("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0")]
    [InlineData("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8")]
    public void Other_forms_are_written_in_the_recommended_one(string text, string canonical) =>
        IpAddress.Parse(text).ToString().ShouldBe(canonical);

    [Theory]
    [InlineData("")]
    [InlineData("10.0.1")]
    [InlineData("10.0.1.1.1")]
    [InlineData("10.0.1.256")]
    [InlineData("10.0.01.1")]
    [InlineData("10.0.1.1 ")]
    [InlineData("0x0a.0.0.1")]
    [InlineData(":")]
    [InlineData(":::")]
    [InlineData("1::2::3")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7:8::")]
    [InlineData("1:2:3:4::5:6:7:8")]
    [InlineData(":1::2")]
    [InlineData("1::2:")]
    [InlineData("12345::")]
    [InlineData("g::")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[::1]")]
    [InlineData("::ffff:10.0.1.1")]
    [InlineData("1.2.3.4::")]
    public void Other_text_is_no_address(string text) => IpAddress.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Any_sixteen_octets_are_written_and_read_as_the_framework_does()
    {
        Prop.ForAll<ulong, ulong, byte>((high, low, zeroGroups) =>
        {
            UInt128 value = new(high, low);
            for (int i = 0; i < 8; i++)
                if ((zeroGroups & (1 << i)) != 0) value &= ~((UInt128)0xFFFF << (16 * i));
            IpAddress address = new(value);
            byte[] octets = new byte[16];
            address.CopyTo16(octets);
            string text = address.ToString();
            IPAddress theirs = address.IsIpv4 ? new IPAddress(octets.AsSpan(12)) : new IPAddress(octets);
            return IPAddress.Parse(text).Equals(theirs) && IpAddress.Parse(text) == address;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Any_text_is_answered_without_an_exception()
    {
        const string alphabet = "0123456789abcdefF.:/% g";
        Samples.ForArbitraryOctets(octets =>
        {
            string text = string.Concat(Array.ConvertAll(octets, o => alphabet[o % alphabet.Length]));
            bool ours = IpAddress.TryParse(text, out IpAddress address);
            _ = IpPrefix.TryParse(text, out _, out _);
            return !ours || IPAddress.Parse(text).Equals(IPAddress.Parse(address.ToString()));
        });
    }

    [Fact]
    public void An_address_knows_its_kind()
    {
        IpAddress.Parse("224.0.0.5").IsMulticast.ShouldBeTrue();
        IpAddress.Parse("240.0.0.5").IsMulticast.ShouldBeFalse();
        IpAddress.Parse("240.0.0.0").IsReserved.ShouldBeTrue();
        IpAddress.Parse("255.255.255.254").IsReserved.ShouldBeTrue();
        IpAddress.Broadcast4.IsReserved.ShouldBeFalse();
        IpAddress.Parse("239.255.255.255").IsReserved.ShouldBeFalse();
        IpAddress.Parse("::f000:0").IsReserved.ShouldBeFalse();
        IpAddress.Parse("ff02::5").IsMulticast.ShouldBeTrue();
        IpAddress.Parse("169.254.169.254").IsLinkLocal.ShouldBeTrue();
        IpAddress.Parse("fe80::1").IsLinkLocal.ShouldBeTrue();
        IpAddress.Parse("fec0::1").IsLinkLocal.ShouldBeFalse();
        IpAddress.Parse("0.1.2.3").IsThisNetwork.ShouldBeTrue();
        IpAddress.Parse("1.0.0.0").IsThisNetwork.ShouldBeFalse();
        IpAddress.Parse("::").IsThisNetwork.ShouldBeFalse();
        IpAddress.Parse("127.1.2.3").IsLoopback.ShouldBeTrue();
        IpAddress.Parse("::1").IsLoopback.ShouldBeTrue();
        IpAddress.Unspecified4.IsUnspecified.ShouldBeTrue();
        IpAddress.Unspecified6.IsUnspecified.ShouldBeTrue();
        IpAddress.Broadcast4.IsBroadcast.ShouldBeTrue();
        (IpAddress.Unspecified4.IsIpv4, IpAddress.Unspecified6.IsIpv4).ShouldBe((true, false));
        IpAddress.Parse("10.0.1.1").ToIpv4().ShouldBe(0x0A000101u);
        IpAddress.Parse("fd00::12:3456").SolicitedNode().ToString().ShouldBe("ff02::1:ff12:3456");
        IpAddress.LinkLocalOf(Samples.MacA).ToString().ShouldBe("fe80::ff:fe00:a");
        Should.Throw<InvalidOperationException>(() => IpAddress.Unspecified6.ToIpv4());
    }

    [Fact]
    public void A_prefix_holds_its_family_only()
    {
        IpPrefix prefix = IpPrefix.Parse("10.0.1.0/24");
        prefix.Contains(IpAddress.Parse("10.0.1.255")).ShouldBeTrue();
        prefix.Contains(IpAddress.Parse("10.0.2.0")).ShouldBeFalse();
        prefix.Broadcast.ToString().ShouldBe("10.0.1.255");
        prefix.Netmask.ToString().ShouldBe("255.255.255.0");
        prefix.Host(1).ToString().ShouldBe("10.0.1.1");
        Should.Throw<ArgumentOutOfRangeException>(() => prefix.Host(256));
        IpPrefix.All4.Contains(IpAddress.Unspecified6).ShouldBeFalse();
        IpPrefix.All6.Contains(IpAddress.Parse("10.0.1.1")).ShouldBeFalse();
        IpPrefix.All4.Contains(IpAddress.Broadcast4).ShouldBeTrue();
        IpPrefix.All6.Contains(IpAddress.Parse("ffff::")).ShouldBeTrue();
        IpPrefix.Parse("fd00::/8").Overlaps(IpPrefix.Parse("fd00:1::/64")).ShouldBeTrue();
        new IpPrefix(IpAddress.Parse("10.0.1.77"), 24).ShouldBe(prefix);
    }

    [Theory]
    [InlineData("10.0.1.1/24", "'10.0.1.1/24' has host bits set; the network is 10.0.1.0/24.")]
    [InlineData("10.0.1.0", "'10.0.1.0' has no length; write it such as 10.0.1.1/24.")]
    [InlineData("10.0.1.0/33", "'10.0.1.0/33' has a bad length; it is a number from 0 to 32.")]
    [InlineData("fd00::/129", "'fd00::/129' has a bad length; it is a number from 0 to 128.")]
    [InlineData("fd00::/-1", "'fd00::/-1' has a bad length; it is a number from 0 to 128.")]
    [InlineData("10.0.1/24", "'10.0.1' is not an IP address; write it such as 10.0.1.1 or 2001:db8::1.")]
    public void A_wrong_prefix_is_refused_with_a_sentence(string text, string sentence)
    {
        IpPrefix.TryParse(text, out _, out string? problem).ShouldBeFalse();
        problem.ShouldBe(sentence);
        Should.Throw<FormatException>(() => IpPrefix.Parse(text)).Message.ShouldBe(sentence);
    }

    [Fact]
    public void An_interface_keeps_its_host_bits()
    {
        IpInterface both = IpInterface.Parse("203.0.113.2/30");
        (both.Address, both.Prefix).ShouldBe((IpAddress.Parse("203.0.113.2"), IpPrefix.Parse("203.0.113.0/30")));
        both.ToString().ShouldBe("203.0.113.2/30");
    }
}
