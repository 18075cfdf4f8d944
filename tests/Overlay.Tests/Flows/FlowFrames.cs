using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>The conversations of these tests.</summary>
internal static class FlowFrames
{
    public const string Server = "198.18.0.10";

    public static readonly MacAddress A = Courtyard.Mac("red/red-a");
    public static readonly MacAddress B = Courtyard.Mac("red/red-b");
    public static readonly MacAddress C = Courtyard.Mac("red/red-c");
    public static readonly MacAddress Router1 = MacAddress.Parse("02:00:00:00:01:01");
    public static readonly MacAddress Router2 = MacAddress.Parse("02:00:00:00:01:02");
    public static readonly MacAddress Isp = MacAddress.Parse("02:00:00:00:99:01");
    public static readonly MacAddress Veth = MacAddress.Parse("02:00:00:00:0f:02");

    public const TcpFlags SynAck = TcpFlags.Syn | TcpFlags.Ack;

    /// <summary>red-b to red-a, over the tunnel.</summary>
    public static byte[] BToA(ushort port = 5000, TcpFlags flags = TcpFlags.Syn) =>
        Frames.Tcp(A, B, "10.0.1.12", "10.0.1.11", port, 80, flags);

    public static byte[] AToB(ushort port = 5000, TcpFlags flags = SynAck) =>
        Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 80, port, flags);

    /// <summary>red-a to red-c, on one host through the router.</summary>
    public static byte[] AToC(ushort port = 5000, ushort to = 80, TcpFlags flags = TcpFlags.Syn) =>
        Frames.Tcp(Router1, A, "10.0.1.11", "10.0.2.11", port, to, flags);

    public static byte[] CToA(ushort port = 5000, TcpFlags flags = SynAck) =>
        Frames.Tcp(Router2, C, "10.0.2.11", "10.0.1.11", 80, port, flags);

    /// <summary>red-c to red-b, over the tunnel through the router.</summary>
    public static byte[] CToB(ushort port = 5000, TcpFlags flags = TcpFlags.Syn) =>
        Frames.Tcp(Router2, C, "10.0.2.11", "10.0.1.12", port, 80, flags);

    /// <summary>red-c to the outside, by source NAT.</summary>
    public static byte[] CToServer(ushort port = 5000, TcpFlags flags = TcpFlags.Syn) =>
        Frames.Tcp(Router2, C, "10.0.2.11", Server, port, 80, flags);

    public static byte[] ServerTo(string destination, ushort port, TcpFlags flags = SynAck) =>
        Frames.Tcp(Veth, Isp, Server, destination, 80, port, flags);
}
