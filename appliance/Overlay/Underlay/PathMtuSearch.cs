using System;

namespace Genkan.Overlay.Underlay;

/// <summary>
/// How long a packet may be on its way to another host: a search by probes that must not be cut (RFC 8899 §5, with the
/// names of its §5.1). No ICMP error is believed, and none is needed: a probe is answered or it is not.
/// </summary>
/// <remarks>
/// A round begins with a probe of the full size. As long as that is answered nothing else is sent. If it is lost
/// <see cref="ProbesMax"/> times and a small one (on IPv4 then the least) is answered, the size between is searched;
/// each later round tries the full size again, so that a path that heals is noticed. A peer that answers nothing at all
/// tells nothing: it may be down, or drop ICMP echo.
/// </remarks>
public sealed class PathMtuSearch
{
    /// <summary>MAX_PROBES: losses in a row until a size counts as too long.</summary>
    public const int ProbesMax = 3;

    /// <summary>BASE_PLPMTU: every link carries so much (RFC 8200 §5), and so does IPv4's in practice.</summary>
    public const int BaseOctets = 1280;

    /// <summary>MIN_PLPMTU of IPv4: with less, a tunnel carries no packet that every host must take (576 octets, RFC
    /// 791 §3.1). Of IPv6 it is <see cref="BaseOctets"/>.</summary>
    public const int LeastOctets4 = 576 + 50;

    /// <summary>The search ends when so little is left to find.</summary>
    public const int GrainOctets = 8;

    /// <summary>PROBE_TIMER: an answer that takes longer is lost.</summary>
    public static readonly TimeSpan ProbeTimer = TimeSpan.FromSeconds(1);

    /// <summary>PMTU_RAISE_TIMER: between two rounds, and half as much again at most.</summary>
    public static readonly TimeSpan RoundInterval = TimeSpan.FromSeconds(30);

    private enum Phase
    {
        Full,
        Base,
        Least,
        Search,
    }

    private readonly int _max;
    private readonly int _least;
    private Phase _phase;
    private int _low;
    private int _high;
    private int _size;
    private int _lost;
    private bool _isInFlight;

    /// <summary>Begins with a path of which nothing is known.</summary>
    /// <param name="maxOctets">The longest IP packet that the own interface sends.</param>
    /// <param name="firstAt">When the first probe is due.</param>
    /// <param name="leastOctets">The shortest that is worth a probe.</param>
    public PathMtuSearch(int maxOctets, TimeSpan firstAt, int leastOctets = BaseOctets)
    {
        (_max, _least) = (maxOctets, leastOctets);
        _size = maxOctets;
        DueAt = firstAt;
    }

    /// <summary>Octets of the longest IP packet that is known to arrive; 0 as long as nothing is known.</summary>
    public int FoundOctets { get; private set; }

    /// <summary>Whether a round has ended: then <see cref="FoundOctets"/> 0 says that nothing came back.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>When <see cref="Step"/> has something to do.</summary>
    public TimeSpan DueAt { get; private set; }

    /// <summary>The next probe, or the loss of the last one.</summary>
    /// <param name="now">Time since boot.</param>
    /// <param name="chance">0 to 65535, for the pause between rounds, so that hosts do not ask in step.</param>
    /// <returns>Octets of an IP packet to send, which must not be cut; 0 if there is nothing to send now.</returns>
    public int Step(TimeSpan now, ushort chance)
    {
        if (now < DueAt) return 0;
        if (_isInFlight) Lose(now, chance);
        if (now < DueAt) return 0;
        _isInFlight = true;
        DueAt = now + ProbeTimer;
        return _size;
    }

    /// <summary>A probe was answered.</summary>
    /// <param name="octets">Its size; an answer to another than the one under way is late, and ignored.</param>
    /// <param name="now">Time since boot.</param>
    /// <param name="chance">As for <see cref="Step"/>.</param>
    public void Answer(int octets, TimeSpan now, ushort chance)
    {
        if (!_isInFlight || octets != _size) return;
        _isInFlight = false;
        _lost = 0;
        if (_size == _max)
        {
            Found(_max, now, chance);
            return;
        }

        _low = _size;
        if (_phase == Phase.Base) (_phase, _high) = (Phase.Search, _max - 1);
        if (_phase == Phase.Least) (_phase, _high) = (Phase.Search, Math.Min(_max, BaseOctets) - 1);
        Next(now, chance);
    }

    /// <summary>A probe could not be sent: the own interface takes no packet of that size.</summary>
    public void Refuse(int octets, TimeSpan now, ushort chance)
    {
        if (!_isInFlight || octets != _size) return;
        _lost = ProbesMax - 1;
        Lose(now, chance);
    }

    private void Lose(TimeSpan now, ushort chance)
    {
        _isInFlight = false;
        DueAt = now;
        if (++_lost < ProbesMax) return;
        _lost = 0;
        switch (_phase)
        {
            case Phase.Full when _max > BaseOctets:
                (_phase, _size) = (Phase.Base, BaseOctets);
                break;
            case Phase.Full or Phase.Base when Math.Min(_max, BaseOctets) > _least:
                (_phase, _size) = (Phase.Least, _least);
                break;
            case Phase.Search:
                _high = _size - 1;
                Next(now, chance);
                break;
            default:
                Found(0, now, chance); // nothing comes back
                break;
        }
    }

    private void Next(TimeSpan now, ushort chance)
    {
        if (_high - _low < GrainOctets)
        {
            Found(_low, now, chance);
            return;
        }

        _size = (_low + _high + 1) / 2;
        DueAt = now;
    }

    private void Found(int octets, TimeSpan now, ushort chance)
    {
        (FoundOctets, HasEnded) = (octets, true);
        (_phase, _size, _lost, _isInFlight) = (Phase.Full, _max, 0, false);
        DueAt = now + RoundInterval + (RoundInterval * chance / (2.0 * ushort.MaxValue));
    }
}
