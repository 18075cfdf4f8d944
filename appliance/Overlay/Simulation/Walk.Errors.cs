using System;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>
/// ICMP errors on their way through (RFC 5508 §4, RFC 5927): an error goes where an answer to the packet that it
/// quotes would go, if that packet's connection exists, and its quotation is translated back on the way.
/// </content>
internal ref partial struct Walk
{
    /// <summary>The source under which the packet, or the error about it, would leave now: an error of a router on the
    /// way keeps its own where no NAT has put an address in its place (see <see cref="FinishError"/>).</summary>
    private readonly IpAddress SourceOnTheWire =>
        _isError && _packet.Source == _quoted.Destination ? _original.Source : _packet.Source;

    /// <summary>Puts the answer to the quoted packet in the error's place. False if the walk ended.</summary>
    private bool BeginError()
    {
        _result.IsCacheable = false;
        string place = _ingressPort?.Name ?? "NAT return";
        if (!PacketHeader.TryDecodeEmbedded(_frame, _original, out _quoted) || _quoted.Source != _original.Destination)
        {
            Drop(DropReason.InvalidState, place, "ICMP error that quotes no packet of its destination");
            return false;
        }

        if (!_original.HasRightIcmpChecksum(_frame))
        {
            Drop(DropReason.BadChecksum, place, "ICMP error with a wrong checksum"); // RFC 5508 §4.1, REQ-3
            return false;
        }

        _isError = true;
        PacketHeader answer = _quoted.Reversed();
        answer.EthernetSource = _original.EthernetSource;
        answer.EthernetDestination = _original.EthernetDestination;
        answer.HopLimit = _original.HopLimit;
        answer.LengthOctets = _original.LengthOctets;
        answer.NetworkLengthOctets = _original.NetworkLengthOctets;
        _packet = answer;
        _state = _connections.Find(_ingress, _packet);
        _result.Trace?.Add(
            new TraceStep(place, $"ICMP error about a packet from {_quoted.Source} to {_quoted.Destination}"));
        return true;
    }

    /// <summary>Writes the error as it leaves.</summary>
    private void FinishError()
    {
        if (_frame.Length > SimulationResult.AnswerMax)
        {
            Drop(DropReason.UpcallTooBig);
            return;
        }

        // The sender's address is translated with its connection; of another one (a router on the way) too if the
        // sender is behind the NAT, whose own address then stands for it (RFC 5508 §4.2.2, REQ-5).
        bool isTranslated = _packet.Source != _quoted.Destination;
        if (!isTranslated && _result.Hops > 0 && _original.Source.IsLinkLocal)
        {
            // RFC 4291 §2.5.6, RFC 3927 §2.7; judged here, as until the last router a NAT might have replaced it.
            Drop(DropReason.Martian, _ingressPort?.Name ?? "NAT return", "ICMP error from a link-local address");
            return;
        }

        PacketHeader outer = _original;
        outer.EthernetSource = _packet.EthernetSource;
        outer.EthernetDestination = _packet.EthernetDestination;
        outer.HopLimit = _packet.HopLimit;
        outer.Destination = _packet.Destination;
        if (isTranslated) outer.Source = _packet.Source;

        PacketHeader quoted = _packet.Reversed();
        quoted.HopLimit = _quoted.HopLimit;
        quoted.TrafficClass = _quoted.TrafficClass;
        quoted.Identification = _quoted.Identification;

        Span<byte> frame = _result.AnswerBuffer[.._frame.Length];
        _frame.CopyTo(frame);
        PacketRewriter.ApplyToEmbedded(frame, _original, _quoted, quoted);
        PacketRewriter.Apply(frame, _original, outer);
        _packet = outer;
        _result.AnswerLength = frame.Length;
        _result.Verdict = SimulationVerdict.ForwardTranslated;
    }
}
