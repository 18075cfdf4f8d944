using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>ICMP of the routers themselves: echo (RFC 1812 §4.3.3.6), errors (RFC 1812 §4.3.2, RFC 4443
/// §2.4).</content>
internal ref partial struct Walk
{
    private const byte AnswerHopLimit = 64;

    /// <summary>A unicast to an address of a router: echo is answered, nothing else listens.</summary>
    private void AnswerAsRouter(RouterNode router, PortNode inPort, PortNode owner)
    {
        if (inPort.Role == PortRole.Uplink && owner.Role == PortRole.Uplink)
        {
            Drop(DropReason.NotLocalService, router.Name, "the gateway's own address; the host has no such service");
            return;
        }

        Read(FieldSet.Protocol | FieldSet.DestinationPort);
        if (!_isError && RefusesOption(router)) return;
        if (_packet.IsEchoRequest && !_isError)
        {
            AnswerEcho(router);
            return;
        }

        Drop(DropReason.NotForUs, router.Name, "to the router's own address, where nothing listens");

        // RFC 4443 §2.2 (a): from the address that was asked; RFC 1812 §4.3.2.4: from one of the way back.
        IpAddress source = _original.IsIpv6 ? _original.Destination : SourceFor(router, inPort);
        if (_packet.Protocol == IpProtocol.Udp)
            Answer(Unreachable(IcmpUnreachableCode.Port, Icmpv6UnreachableCode.Port), source);
        else if (_packet.Protocol is not (IpProtocol.Tcp or IpProtocol.NoNextHeader) && !_packet.IsIcmp && IsWhole())
            Answer(UnknownProtocol(), source);
    }

    // RFC 8200 §4.2: the destination looks at options. On the way nobody does (§4): no key shows them, and to have the
    // agent look at each such packet would slow down who uses them.
    private bool RefusesOption(RouterNode router)
    {
        Ipv6OptionAction action = Ipv6Options.FirstRefused(_frame, _original, out int pointer);
        if (action == Ipv6OptionAction.Skip) return false;
        Drop(DropReason.Malformed, router.Name, "an option that says to drop what does not know it");
        _result.IsCacheable = false;
        if (action != Ipv6OptionAction.Discard)
            Answer(IcmpError.ParameterProblem(isIpv4: false, 2, pointer), _original.Destination);
        return true;
    }

    // RFC 1122 §3.2.2.1: protocol unreachable; RFC 8200 §4: unrecognized Next Header type encountered (code 1).
    private readonly IcmpError UnknownProtocol() => _original.IsIpv4
        ? IcmpError.Unreachable(IcmpUnreachableCode.Protocol)
        : IcmpError.ParameterProblem(isIpv4: false, 1, _original.ProtocolPointer(_frame));

    private void AnswerEcho(RouterNode router)
    {
        _result.IsCacheable = false;
        if (!TryGetAnswerEgress(out Egress egress) || !IsWhole())
        {
            Drop(DropReason.Truncated, router.Name, "an echo request that cannot be answered from here");
            return;
        }

        if (_original.Fragment == FragmentKind.None && !_original.HasRightIcmpChecksum(_frame))
        {
            Drop(DropReason.BadChecksum, router.Name, "an echo request with a wrong checksum");
            return;
        }

        int length = _frame.Length > SimulationResult.AnswerMax
            ? 0
            : IcmpMessages.WriteEchoReply(
                _result.AnswerBuffer, _frame, _original, _original.Destination, AnswerMac(), AnswerHopLimit);
        if (length == 0)
        {
            Drop(DropReason.UpcallTooBig, router.Name, "an echo request that is a fragment or too long to answer");
            return;
        }

        _result.Verdict = SimulationVerdict.Answer;
        _result.DropReason = DropReason.Answered;
        _result.AnswerLength = length;
        _result.AnswerEgress = egress;
        _result.Trace?.Add(new TraceStep(router.Name, $"answers the ping to {_packet.Destination}"));
    }

    private readonly IcmpError Unreachable(IcmpUnreachableCode ipv4, Icmpv6UnreachableCode ipv6) =>
        _packet.IsIpv4 ? IcmpError.Unreachable(ipv4) : IcmpError.Unreachable(ipv6);

    private void AnswerProhibited() =>
        Answer(Unreachable(IcmpUnreachableCode.AdministrativelyProhibited,
            Icmpv6UnreachableCode.AdministrativelyProhibited));

    private void Answer(IcmpError error, RouterNode router, PortNode inPort)
    {
        Answer(error, SourceFor(router, inPort));
    }

    /// <summary>From the sender's own router; on a bridge alone, in the name of the destination.</summary>
    private void Answer(IcmpError error) =>
        Answer(error, _firstRouter is not null ? SourceFor(_firstRouter, _firstRouterPort!) : _original.Destination);

    /// <summary>Tells the sender. The walk is dropped already; nothing happens where no error may be sent.</summary>
    private void Answer(IcmpError error, IpAddress source)
    {
        // It has the key of the whole flow, whose other packets are told of.
        if (IsLaterPiece) _result.IsCacheable = false;
        if (_isError || !_original.MayCauseIcmpError || source.IsUnspecified || source.IsIpv4 != _original.IsIpv4)
            return;
        if (_original.NetworkAt < 0 || _frame.Length <= _original.NetworkAt || !TryGetAnswerEgress(out Egress egress))
            return;
        _result.IsCacheable = false; // so that the sender is told each time, within the port's budget
        PacketHeader quoted = _original;
        if (quoted.NetworkEnd > _frame.Length) quoted.NetworkLengthOctets = _frame.Length - quoted.NetworkAt;
        _result.AnswerLength = IcmpMessages.WriteError(
            _result.AnswerBuffer, _frame, quoted, error, source, AnswerMac());
        if (_result.AnswerLength == 0) return;
        _result.AnswerEgress = egress;
        _result.Trace?.Add(
            new TraceStep(source.ToString(), $"tells the sender: ICMP type {error.Type} code {error.Code}"));
    }

    private void NoteRouter(RouterNode router, PortNode inPort) =>
        (_firstRouter, _firstRouterPort) = (_firstRouter ?? router, _firstRouterPort ?? inPort);

    // RFC 1812 §4.3.2.4: the port's own address if it has one of that family, else any of the router's. A link-local
    // one is good for one link (RFC 4291 §2.5.6, RFC 3927 §2.7): the sender may be behind the next router.
    private readonly IpAddress SourceFor(RouterNode router, PortNode inPort)
    {
        bool isIpv4 = _original.IsIpv4;
        IpAddress own = isIpv4 ? inPort.Address4 : inPort.Address6;
        if (IsGoodAnywhere(own)) return own;
        foreach (PortNode port in router.Ports)
        {
            IpAddress other = isIpv4 ? port.Address4 : port.Address6;
            if (IsGoodAnywhere(other)) return other;
        }

        if (_firstRouter is not null && _firstRouter != router) return SourceFor(_firstRouter, _firstRouterPort!);
        return own.IsUnspecified && !isIpv4 ? inPort.LinkLocal : own;
    }

    private static bool IsGoodAnywhere(IpAddress address) => !address.IsUnspecified && !address.IsLinkLocal;

    private readonly MacAddress AnswerMac() =>
        _original.EthernetDestination.IsMulticast
            ? _ingressPort?.Bridge?.ServiceMac ?? default : _original.EthernetDestination;

    private readonly bool IsWhole() => _original.NetworkAt >= 0 && _original.NetworkEnd <= _frame.Length;

    /// <summary>Back where the packet came from.</summary>
    private readonly bool TryGetAnswerEgress(out Egress egress)
    {
        egress = default;
        if (_ingressPort is { Role: PortRole.Exterior } port)
        {
            egress = new Egress(EgressKind.Port, port.Id);
        }
        else if (_ingressPort is { ExternalNetwork: { } outside })
        {
            egress = new Egress(EgressKind.FibExit, outside.Id, _topology.LocalHost.Id);
        }
        else if (_ingress.Kind == IngressKind.NatReturn
            && _topology.SourceNatNodes.TryGet(_ingress.Object, out SourceNatNode? pool)
            && pool.ExternalPort.Peer?.Router?.Provides is { Hosts.Length: > 0 } provided)
        {
            egress = new Egress(EgressKind.FibExit, provided.Id, Rendezvous.Choose(AnswerHash(), provided.Hosts));
        }

        return egress.Kind != EgressKind.None;
    }

    private readonly ulong AnswerHash() => Rendezvous.FlowHash(_original.Destination, _original.Source);
}
