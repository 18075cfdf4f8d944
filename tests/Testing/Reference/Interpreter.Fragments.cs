using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <content>
/// Datagrams in pieces (fragment.h; RFC 791 §3.2, RFC 8200 §4.5): all fragments meet the entry of the whole datagram,
/// in any order, and each unit of eight octets passes once (RFC 5722).
/// </content>
internal sealed partial class Interpreter
{
    private const int UnitOctets = 8;
    private const int HeldForCutting = 0x10000;

    /// <summary>Where in its datagram a fragment stands; <c>Before</c>: octets that the datagram's length counts beside
    /// its payload.</summary>
    private readonly record struct Place(int FromUnits, int Octets, int Before, bool HasMore, uint Identification)
    {
        public int EndUnits => FromUnits + ((Octets + UnitOctets - 1) / UnitOctets);
    }

    /// <summary>Null to go on under the key of the whole datagram; a later one whose first one is not known
    /// waits.</summary>
    private Fate? PassFragment(Flow f)
    {
        DropReason fault = OnFragment(f, out bool waits);
        return IsFault(fault) ? Drop(fault) : waits ? HandUp(f, UpcallKind.Fragment) : null;
    }

    private DropReason OnFragment(Flow f, out bool waits)
    {
        waits = false;
        Place place = f.IsIpv6 ? PlaceOfIpv6(f) : PlaceOfIpv4(f);
        if (!IsPossible(place)) return DropReason.Malformed;

        Dictionary<DatagramKey, Datagram> table = f.IsForeign ? Tables.Foreign : Tables.Datagrams;
        DatagramKey key = KeyOf(f, f.Key.Port, place);
        if (!table.TryGetValue(key, out Datagram? datagram) || IsOver(f, datagram))
        {
            if (f.IsFromAgent && place.FromUnits > 0) return DropReason.ReinjectMiss;
            if (!f.IsFromAgent && !TakeShare(f)) return DropReason.FragmentBudget;
            ushort identification = f.IsIpv6 ? (ushort)0 : Tables.NextIdentification(f.Key.Destination, f.Key.Protocol);
            table[key] = datagram = new Datagram(identification) { IsOfAgent = f.IsFromAgent };
            if (!f.IsIpv6) Coverage.Found("fragment_id");
        }
        else
        {
            Coverage.Found(f.IsForeign ? "fragment_outside" : "fragment");
        }

        if (!f.IsFromAgent && Overlaps(datagram, place)) return DropReason.FragmentOverlap;
        if (place.FromUnits == 0) return First(f, datagram);
        if (datagram.IsFirstKnown && datagram.Tag == TagFault.None) return Join(f, datagram);
        if (f.IsFromAgent) return DropReason.ReinjectMiss;
        waits = datagram.IsAwaited = true;
        return DropReason.None;
    }

    /// <summary>The next fragment under this key begins another datagram. What the agent sends on has been watched when
    /// it came in.</summary>
    private static bool IsOver(Flow f, Datagram datagram) =>
        datagram.IsExpired || (!f.IsFromAgent && (datagram.IsWhole || datagram.IsOfAgent));

    private static Place PlaceOfIpv4(Flow f)
    {
        ushort fragment = Octets.Word(f.Frame, EthernetSize + 6);
        int header = (f.Frame[EthernetSize] & 0xf) * 4;
        return new Place(
            fragment & 0x1fff, Octets.Word(f.Frame, EthernetSize + 2) - header, header, (fragment & 0x2000) != 0,
            Octets.Word(f.Frame, EthernetSize + 4));
    }

    private static Place PlaceOfIpv6(Flow f)
    {
        int at = f.FragmentHeaderAt, before = at - EthernetSize - 40;
        ushort fragment = Octets.Word(f.Frame, at + 2);
        return new Place(
            fragment >> 3, Octets.Word(f.Frame, EthernetSize + 4) - before - 8, before, (fragment & 1) != 0,
            Octets.Double(f.Frame, at + 4));
    }

    /// <summary>All but the last hold whole units, and none reaches beyond the longest datagram.</summary>
    private static bool IsPossible(Place p) =>
        p.Octets > 0 && (p.FromUnits * UnitOctets) + p.Octets + p.Before <= Limits.DatagramOctets
        && (!p.HasMore || p.Octets % UnitOctets == 0);

    /// <summary>Of what anybody may send each source has a share of the table, else each port.</summary>
    private (bool IsForeign, uint Index) ShareOf(Flow f) => f.IsForeign
        ? (true, ReferenceTables.SourceOf(Tables.World.DigestSeed, f.IsIpv6, f.Key.Source))
        : (false, f.Key.Port);

    private bool TakeShare(Flow f)
    {
        (bool IsForeign, uint Index) share = ShareOf(f);
        if (!share.IsForeign && share.Index >= Limits.Ports) return false;
        if (!Tables.Shares.TryGetValue(share, out int room)) return true;
        IsShareAsked = true;
        Coverage.Found(share.IsForeign ? "fragment_source" : "fragment_share");
        if (room > 0) Tables.Shares[share] = room - 1;
        return room > 0;
    }

    /// <summary>What the agent has in hand may come down again, and must find its datagram. One that is whole, and of
    /// which the agent has nothing, leaves the table.</summary>
    /// <param name="f">A fragment.</param>
    /// <param name="keyPort">Under whose name it came in.</param>
    /// <param name="held">How much more the agent holds.</param>
    private void Settle(Flow f, uint keyPort, int held)
    {
        if (f.Fragment == FragmentKind.None) return;
        Place place = f.IsIpv6 ? PlaceOfIpv6(f) : PlaceOfIpv4(f);
        Dictionary<DatagramKey, Datagram> table = f.IsForeign ? Tables.Foreign : Tables.Datagrams;
        DatagramKey key = KeyOf(f, keyPort, place);
        if (!table.TryGetValue(key, out Datagram? datagram) || datagram.IsOfAgent) return;
        datagram.Held = unchecked(datagram.Held + (uint)held);
        if (datagram.Held != 0 || !datagram.IsWhole) return;
        table.Remove(key);
        Coverage.Met("whole datagram gone");
        (bool IsForeign, uint Index) share = ShareOf(f);
        if (Tables.Shares.TryGetValue(share, out int room)) Tables.Shares[share] = room + 1;
    }

    /// <summary>What was in the agent's hands has left them.</summary>
    private void Passed(Flow f) => Settle(f, f.Key.Port, f.IsFromAgent ? -1 : 0);

    /// <summary>The agent makes several of it, or none.</summary>
    private Fate TooBig(Flow f)
    {
        Settle(f, f.Key.Port, HeldForCutting);
        return ToAgent(f, UpcallKind.TooBig);
    }

    /// <summary>To the agent, from where it may come down again.</summary>
    private Fate HandUp(Flow f, UpcallKind kind)
    {
        Settle(f, f.Key.Port, 1);
        Fate fate = ToAgent(f, kind);
        if (fate.Kind == FateKind.Drop) Settle(f, f.Key.Port, -1);
        return fate;
    }

    private static DatagramKey KeyOf(Flow f, uint keyPort, Place place) => new(
        f.IsIpv6, keyPort, place.Identification, f.Key.Source, f.Key.Destination, f.IsIpv6 ? (byte)0 : f.Key.Protocol);

    private bool Overlaps(Datagram datagram, Place place)
    {
        int end = place.EndUnits;
        if (!place.HasMore && datagram.Total == 0) datagram.Total = end;
        IEnumerable<int> units = Enumerable.Range(place.FromUnits, end - place.FromUnits);
        if (datagram.IsOverlapped || (datagram.Total > 0 && end > datagram.Total)
            || (!place.HasMore && end != datagram.Total) || units.Any(datagram.Units.Contains))
        {
            return datagram.IsOverlapped = true;
        }

        datagram.Units.UnionWith(units);
        datagram.Seen += end - place.FromUnits;
        if (datagram.Seen != datagram.Total || datagram.IsWhole) return false;
        datagram.IsWhole = true;
        Coverage.Met("whole datagram");
        return false;
    }

    /// <summary>It goes its way; the agent is told if others wait for it.</summary>
    private DropReason First(Flow f, Datagram datagram)
    {
        f.Identification = datagram.NewIdentification;
        (datagram.SourcePort, datagram.DestinationPort) = (f.Key.SourcePort, f.Key.DestinationPort);
        datagram.Protocol = f.Key.Protocol;
        datagram.IsFirstKnown = true;
        if (!datagram.IsAwaited || f.IsFromAgent) return DropReason.None;
        Coverage.Met("awaited first fragment");
        _ = ToAgent(f, UpcallKind.Fragment);
        return DropReason.None;
    }

    /// <summary>The key of the whole datagram. ICMP other than echo fits into one piece and is read as one.</summary>
    private DropReason Join(Flow f, Datagram datagram)
    {
        f.Identification = datagram.NewIdentification;
        f.Fragment = FragmentKind.First;
        f.Key = f.Key with
        {
            SourcePort = datagram.SourcePort,
            DestinationPort = datagram.DestinationPort,
            Protocol = datagram.Protocol,
            Fragment = FragmentKind.None,
        };
        Coverage.Met("later fragment with the key of the whole");
        if ((IpProtocol)datagram.Protocol != (f.IsIpv6 ? IpProtocol.Icmpv6 : IpProtocol.Icmp)) return DropReason.None;
        f.IsEcho = f.IsIpv6 ? f.IcmpType is 128 or 129 : f.IcmpType is 0 or 8;
        return f.IsEcho ? DropReason.None : DropReason.Fragment;
    }
}
