namespace Genkan.Benchmarks.Ours;

/// <summary>What passed and what did not during one measurement.</summary>
/// <param name="Seconds">How long it lasted.</param>
/// <param name="Sent">Datagrams sent.</param>
/// <param name="LostOnTheWay">Datagrams of running flows that never came.</param>
/// <param name="Doubled">Datagrams that came twice.</param>
/// <param name="Overtaken">Datagrams that came after a later one.</param>
/// <param name="Strange">Datagrams whose source had changed.</param>
/// <param name="FirstSent">Datagrams of new flows, sent while no agent lived.</param>
/// <param name="FirstLost">Those that the next agent did not deliver.</param>
/// <param name="TcpOctets">Octets of the TCP transfer.</param>
/// <param name="TcpRetransmits">Its segments that were sent again.</param>
internal sealed record RestartFigures(
    double Seconds,
    long Sent,
    long LostOnTheWay,
    long Doubled,
    long Overtaken,
    long Strange,
    long FirstSent,
    long FirstLost,
    long TcpOctets,
    long TcpRetransmits)
{
    /// <summary>All that must be 0: lost, or come from another tuple, which the other side does not know.</summary>
    internal long Lost => LostOnTheWay + Strange + FirstLost;
}
