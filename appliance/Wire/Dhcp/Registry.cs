namespace Genkan.Wire.Dhcp;

/// <summary>The op field (RFC 2131 §2).</summary>
public enum DhcpOp : byte
{
    /// <summary>BOOTREQUEST.</summary>
    BootRequest = 1,

    /// <summary>BOOTREPLY.</summary>
    BootReply = 2,
}

/// <summary>DHCP message types (RFC 2132 §9.6).</summary>
public enum DhcpMessageType : byte
{
    /// <summary>No option 53: BOOTP.</summary>
    None = 0,

    /// <summary>DHCPDISCOVER.</summary>
    Discover = 1,

    /// <summary>DHCPOFFER.</summary>
    Offer = 2,

    /// <summary>DHCPREQUEST.</summary>
    Request = 3,

    /// <summary>DHCPDECLINE.</summary>
    Decline = 4,

    /// <summary>DHCPACK.</summary>
    Ack = 5,

    /// <summary>DHCPNAK.</summary>
    Nak = 6,

    /// <summary>DHCPRELEASE.</summary>
    Release = 7,

    /// <summary>DHCPINFORM.</summary>
    Inform = 8,
}

/// <summary>DHCP option codes (RFC 2132 and the documents named).</summary>
public enum DhcpOptionCode : byte
{
    /// <summary>Pad.</summary>
    Pad = 0,

    /// <summary>Subnet Mask.</summary>
    SubnetMask = 1,

    /// <summary>Router.</summary>
    Router = 3,

    /// <summary>Domain Name Server.</summary>
    DomainNameServer = 6,

    /// <summary>Host Name.</summary>
    HostName = 12,

    /// <summary>Domain Name.</summary>
    DomainName = 15,

    /// <summary>Interface MTU.</summary>
    InterfaceMtu = 26,

    /// <summary>Broadcast Address.</summary>
    BroadcastAddress = 28,

    /// <summary>Network Time Protocol Servers.</summary>
    NtpServers = 42,

    /// <summary>Vendor Specific Information.</summary>
    VendorSpecific = 43,

    /// <summary>Requested IP Address.</summary>
    RequestedAddress = 50,

    /// <summary>IP Address Lease Time.</summary>
    LeaseTime = 51,

    /// <summary>Option Overload.</summary>
    Overload = 52,

    /// <summary>DHCP Message Type.</summary>
    MessageType = 53,

    /// <summary>Server Identifier.</summary>
    ServerIdentifier = 54,

    /// <summary>Parameter Request List.</summary>
    ParameterRequestList = 55,

    /// <summary>Message.</summary>
    Message = 56,

    /// <summary>Maximum DHCP Message Size.</summary>
    MaximumMessageSize = 57,

    /// <summary>Renewal (T1) Time Value.</summary>
    RenewalTime = 58,

    /// <summary>Rebinding (T2) Time Value.</summary>
    RebindingTime = 59,

    /// <summary>Vendor class identifier.</summary>
    VendorClass = 60,

    /// <summary>Client-identifier.</summary>
    ClientIdentifier = 61,

    /// <summary>TFTP server name.</summary>
    TftpServerName = 66,

    /// <summary>Bootfile name.</summary>
    BootfileName = 67,

    /// <summary>Client FQDN (RFC 4702).</summary>
    ClientFqdn = 81,

    /// <summary>Relay Agent Information (RFC 3046).</summary>
    RelayAgentInformation = 82,

    /// <summary>Domain Search (RFC 3397).</summary>
    DomainSearch = 119,

    /// <summary>Classless Static Route (RFC 3442).</summary>
    ClasslessStaticRoute = 121,

    /// <summary>TFTP Server Address (RFC 5859).</summary>
    TftpServerAddress = 150,

    /// <summary>Classless static routes as old Windows clients ask for them (private use).</summary>
    PrivateClasslessStaticRoute = 249,

    /// <summary>End.</summary>
    End = 255,
}

/// <summary>Why octets are no DHCP message.</summary>
public enum DhcpFault : byte
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    /// <summary>The message ends inside a field or option.</summary>
    Truncated,

    /// <summary>Longer than <see cref="WireLimits.DhcpLengthMax"/>.</summary>
    TooLong,

    /// <summary>The op field is neither BOOTREQUEST nor BOOTREPLY.</summary>
    BadOp,

    /// <summary>Hardware type or address length are not Ethernet's.</summary>
    BadHardware,

    /// <summary>The magic cookie 99.130.83.99 is missing (RFC 2131 §3).</summary>
    BadCookie,

    /// <summary>The message type is unknown.</summary>
    BadMessageType,

    /// <summary>An option has a length that its definition does not allow, or there are too many options.</summary>
    BadOption,

    /// <summary>A DHCPv6 relay message, which has another format.</summary>
    Relayed,
}
