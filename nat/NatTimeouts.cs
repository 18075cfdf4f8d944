using System;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// How long connections and mappings live without a packet. Smaller values than these break the RFCs' floors.
/// </summary>
public sealed record NatTimeouts
{
    /// <summary>The defaults: each RFC's floor or recommendation.</summary>
    public static NatTimeouts Default { get; } = new();

    /// <summary>TCP, established: at least 2 hours and 4 minutes (RFC 5382 §5, REQ-5).</summary>
    public TimeSpan TcpEstablished { get; init; } = TimeSpan.FromSeconds(7_440);

    /// <summary>TCP, partially open or closing: at least 4 minutes (RFC 5382 §5, REQ-5; RFC 7857 §2.2).</summary>
    public TimeSpan TcpTransitory { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>UDP: at least 2 minutes, 5 recommended (RFC 4787 §4.3, REQ-5).</summary>
    public TimeSpan Udp { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>ICMP Query: at least 60 seconds (RFC 5508 §3.2, REQ-2).</summary>
    public TimeSpan Icmp { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// From a mapping's last connection until its port may serve another endpoint (RFC 6888 §3, REQ-8).
    /// </summary>
    public TimeSpan HoldDown { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Idle time after which a connection of this kind ends.</summary>
    /// <param name="protocol">Its protocol; one that is not translated gets the time of UDP.</param>
    /// <param name="established">TCP: both SYN seen acknowledged and no FIN or RST since; else ignored.</param>
    public TimeSpan Idle(IpProtocol protocol, bool established) => protocol switch
    {
        IpProtocol.Tcp => established ? TcpEstablished : TcpTransitory,
        IpProtocol.Icmp or IpProtocol.Icmpv6 => Icmp,
        _ => Udp,
    };
}
