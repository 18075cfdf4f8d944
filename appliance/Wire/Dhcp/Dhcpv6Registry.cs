namespace Genkan.Wire.Dhcp;

/// <summary>DHCPv6 message types (RFC 8415 §7.3).</summary>
public enum Dhcpv6MessageType : byte
{
    /// <summary>No type.</summary>
    None = 0,

    /// <summary>SOLICIT.</summary>
    Solicit = 1,

    /// <summary>ADVERTISE.</summary>
    Advertise = 2,

    /// <summary>REQUEST.</summary>
    Request = 3,

    /// <summary>CONFIRM.</summary>
    Confirm = 4,

    /// <summary>RENEW.</summary>
    Renew = 5,

    /// <summary>REBIND.</summary>
    Rebind = 6,

    /// <summary>REPLY.</summary>
    Reply = 7,

    /// <summary>RELEASE.</summary>
    Release = 8,

    /// <summary>DECLINE.</summary>
    Decline = 9,

    /// <summary>RECONFIGURE.</summary>
    Reconfigure = 10,

    /// <summary>INFORMATION-REQUEST.</summary>
    InformationRequest = 11,

    /// <summary>RELAY-FORW.</summary>
    RelayForward = 12,

    /// <summary>RELAY-REPL.</summary>
    RelayReply = 13,
}

/// <summary>DHCPv6 option codes (RFC 8415 §21 and the documents named).</summary>
public enum Dhcpv6OptionCode : ushort
{
    /// <summary>Client Identifier.</summary>
    ClientIdentifier = 1,

    /// <summary>Server Identifier.</summary>
    ServerIdentifier = 2,

    /// <summary>Identity Association for Non-temporary Addresses.</summary>
    IaNa = 3,

    /// <summary>Identity Association for Temporary Addresses.</summary>
    IaTa = 4,

    /// <summary>IA Address.</summary>
    IaAddress = 5,

    /// <summary>Option Request.</summary>
    OptionRequest = 6,

    /// <summary>Preference.</summary>
    Preference = 7,

    /// <summary>Elapsed Time.</summary>
    ElapsedTime = 8,

    /// <summary>Status Code.</summary>
    StatusCode = 13,

    /// <summary>Rapid Commit.</summary>
    RapidCommit = 14,

    /// <summary>Vendor Class.</summary>
    VendorClass = 16,

    /// <summary>DNS Recursive Name Server (RFC 3646 §3).</summary>
    DnsServers = 23,

    /// <summary>Domain Search List (RFC 3646 §4).</summary>
    DomainList = 24,

    /// <summary>Identity Association for Prefix Delegation.</summary>
    IaPd = 25,

    /// <summary>Information Refresh Time (RFC 8415 §21.23).</summary>
    InformationRefreshTime = 32,

    /// <summary>Client FQDN (RFC 4704).</summary>
    ClientFqdn = 39,

    /// <summary>NTP Server (RFC 5908).</summary>
    NtpServer = 56,

    /// <summary>SOL_MAX_RT (RFC 8415 §21.24).</summary>
    SolMaxRt = 82,

    /// <summary>INF_MAX_RT (RFC 8415 §21.25).</summary>
    InfMaxRt = 83,
}

/// <summary>DHCPv6 status codes (RFC 8415 §21.13).</summary>
public enum Dhcpv6StatusCode : ushort
{
    /// <summary>Success.</summary>
    Success = 0,

    /// <summary>UnspecFail.</summary>
    UnspecFail = 1,

    /// <summary>NoAddrsAvail.</summary>
    NoAddrsAvail = 2,

    /// <summary>NoBinding.</summary>
    NoBinding = 3,

    /// <summary>NotOnLink.</summary>
    NotOnLink = 4,

    /// <summary>UseMulticast.</summary>
    UseMulticast = 5,

    /// <summary>NoPrefixAvail.</summary>
    NoPrefixAvail = 6,
}
