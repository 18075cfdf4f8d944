using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>
/// Translations of a router: floating IPs (1:1), port forwards, source NAT with ports of this host's blocks (RFC 4787,
/// RFC 5382, RFC 5508). From inside to a public address of the same router both ends are translated (RFC 4787 §6,
/// hairpinning).
/// </content>
internal ref partial struct Walk
{
    /// <summary>Before routing. False if the walk ended.</summary>
    private bool TranslateDestination(RouterNode router, PortNode inPort)
    {
        Tag(router.TranslationsTag);
        IpAddress destination = _packet.Destination;
        if (router.FloatingByAddress.TryGet(destination, out FloatingIpNode? floating)
            && IsFor(inPort, floating.ExternalPort))
        {
            if (IsStrayError(router)) return false;
            if (!inPort.IsExternal && !TranslateHairpin(router, floating.ExternalPort)) return false;
            SetDestination(router, floating.Model.Id, floating.Model.FixedAddress, null);
            return true;
        }

        if (router.ForwardsByAddress.TryGet(destination, out PortForward[]? forwards)
            && FindForward(forwards, _packet.Protocol, _packet.DestinationPort, byFixed: false) is { } forward)
        {
            if (IsStrayError(router)) return false;
            if (!inPort.IsExternal && !TranslateHairpin(router, _topology.PortOf(forward.ExternalPort)))
                return false;
            SetDestination(router, forward.Id, forward.FixedAddress, forward.FixedPort);
            return true;
        }

        if (router.SourceNat is not { } pool || !pool.Leases.TryGet(destination, out NatBlockLease[]? leases))
            return true;
        return ToNatAddress(pool, leases, inPort);
    }

    // RFC 5508 §4.2: where addresses are translated each packet has a connection, whether rules watch it or not, and an
    // error without one is about nothing that was sent.
    private bool IsStrayError(RouterNode router)
    {
        if (!_isError || _state != ConnectionState.None) return false;
        Drop(DropReason.InvalidState, router.Name, "ICMP error about no connection");
        return true;
    }

    private static bool IsFor(PortNode inPort, PortNode externalPort) => !inPort.IsExternal || inPort == externalPort;

    // RFC 4787 §6, REQ-9a: the source becomes public too. Else the answer would be one between two inner addresses, and
    // nothing of it would say under which public one it was asked for.
    private bool TranslateHairpin(RouterNode router, PortNode externalPort)
    {
        IpAddress source = _packet.Source;
        if (!TranslateSource(router, externalPort)) return false;
        if (_packet.Source != source) return true;
        Drop(DropReason.NatProtocol, router.Name, "a sender without a public address, which the answer would need");
        AnswerProhibited();
        return false;
    }

    private void SetDestination(RouterNode router, ObjectId id, IpAddress address, ushort? port)
    {
        Tag(id);
        _result.Trace?.Add(
            new TraceStep(router.Name, $"destination {_packet.Destination} becomes {address}{Suffix(port)}"));
        _packet.Destination = address;
        if (port is { } p) _packet.DestinationPort = p;
        BecomeTranslated(router);
    }

    private void SetSource(RouterNode router, ObjectId id, IpAddress address, ushort? port)
    {
        Tag(id);
        _result.Trace?.Add(new TraceStep(router.Name, $"source {_packet.Source} becomes {address}{Suffix(port)}"));
        _packet.Source = address;
        if (port is { } p) _packet.SourcePort = p;
        BecomeTranslated(router);
    }

    private static string Suffix(ushort? port) => port is { } p ? $" port {p}" : "";

    // A zone names whose mapping a flow holds; of two translating routers it is the one with the mapping.
    private readonly void BecomeTranslated(RouterNode router)
    {
        BecomeStateful();
        if (_result.Binding.Zone == 0) _result.Zone = router.Id.Zone;
    }

    private readonly PortForward? FindForward(PortForward[] forwards, IpProtocol protocol, ushort port, bool byFixed)
    {
        Read(FieldSet.Protocol | (byFixed ? FieldSet.SourcePort : FieldSet.DestinationPort));
        foreach (PortForward forward in forwards)
        {
            if (forward.Protocol == protocol && (byFixed ? forward.FixedPort : forward.Port) == port) return forward;
        }

        return null;
    }

    /// <summary>The port, or echo identifier, by which source NAT tells return packets apart. False for what is no
    /// such packet.</summary>
    private readonly bool TryGetNatPort(out ushort port)
    {
        Read(FieldSet.Protocol);
        port = 0;
        if (_packet.Fragment == FragmentKind.Later) return false;
        switch (_packet.Protocol)
        {
            case IpProtocol.Tcp or IpProtocol.Udp:
                Read(FieldSet.DestinationPort);
                port = _packet.DestinationPort;
                return true;
            case IpProtocol.Icmp when _packet.IsEchoReply:
                Read(FieldSet.DestinationPort | FieldSet.SourcePort);
                port = _packet.SourcePort;
                return true;
            default:
                return false;
        }
    }

    // From either side to a source NAT address: the block's owner has the mapping. What is no return packet goes on to
    // the router itself, whose own address this may be.
    private bool ToNatAddress(SourceNatNode pool, NatBlockLease[] leases, PortNode inPort)
    {
        if (!TryGetNatPort(out ushort port)) return true;
        Tag(pool.Id);
        ObjectId owner = ObjectId.None;
        foreach (ref readonly NatBlockLease lease in new System.ReadOnlySpan<NatBlockLease>(leases))
        {
            if (port < lease.FirstPort || port > lease.LastPort) continue;
            owner = lease.Host;
            break;
        }

        if (owner == ObjectId.None)
        {
            Drop(DropReason.NatNoOwner, pool.Router.Name, "no host owns that port of the source NAT address");
            return false;
        }

        if (!inPort.IsExternal && !TranslateSource(pool.Router, pool.ExternalPort)) return false;
        if (owner == _topology.LocalHost.Id) return ReturnToInside(pool, port);
        _result.Trace?.Add(new TraceStep(pool.Router.Name, $"back to {_topology.NameOf(owner)}, which owns the port"));
        BecomeStateful();
        Forward(new Egress(EgressKind.NatReturn, pool.Id, owner));
        return false;
    }

    /// <summary>On the owner: to the inner endpoint, if the connection exists (filtering as strict as RFC 4787 §5
    /// allows).</summary>
    private bool ReturnToInside(SourceNatNode pool, ushort port)
    {
        Tag(pool.Id);
        RouterNode router = pool.Router;
        if (!_nat.TryFindReturn(router.Id.Value, _packet.Protocol, _packet.Destination, port, out NatBinding binding))
        {
            Drop(DropReason.NatNoConnection, router.Name, "no mapping has that port");
            return false;
        }

        if (_state == ConnectionState.None)
            _state = _connections.Find(new Ingress(IngressKind.NatReturn, pool.Id, ConnectionState.None), _packet);
        if (_state == ConnectionState.None && !IsTraced)
        {
            Drop(DropReason.NatNoConnection, router.Name, "no connection from that source");
            return false;
        }

        bool isEcho = _packet.Protocol == IpProtocol.Icmp;
        SetDestination(router, pool.Id, binding.Source, isEcho ? null : binding.SourcePort);
        if (isEcho) _packet.SourcePort = binding.SourcePort;
        return true;
    }

    /// <summary>When a packet from inside leaves by an external port. False if the walk ended.</summary>
    private bool TranslateSource(RouterNode router, PortNode externalPort)
    {
        Tag(router.TranslationsTag);
        IpAddress source = _packet.Source;
        bool isReply = _state == ConnectionState.Reply;
        if (isReply && router.ForwardsByFixed.TryGet(source, out PortForward[]? forwards)
            && FindForward(forwards, _packet.Protocol, _packet.SourcePort, byFixed: true) is { } forward)
        {
            SetSource(router, forward.Id, forward.Address, forward.Port);
            return true;
        }

        SourceNatNode? pool = router.SourceNat?.ExternalPort == externalPort && source.IsIpv4 ? router.SourceNat : null;
        if (router.FloatingByFixed.TryGet(source, out FloatingIpNode? floating) && floating.ExternalPort == externalPort
            && !KeepsMapping(pool))
        {
            if (IsStrayError(router)) return false;
            SetSource(router, floating.Model.Id, floating.Model.Address, null);
            return true;
        }

        if (pool is null) return true;
        if (!isReply) return BindSource(pool);
        Drop(DropReason.InvalidState, router.Name, "an answer whose public address is gone");
        return false;
    }

    // A connection that began before its host got a floating IP ends as it began.
    private readonly bool KeepsMapping(SourceNatNode? pool) =>
        pool is not null && _state == ConnectionState.Forward && _nat.TryFind(RequestOf(pool), out _);

    private readonly NatRequest RequestOf(SourceNatNode pool) => new(
        pool.Router.Id.Value, _packet.Protocol, _packet.Source, _packet.SourcePort, _packet.Destination,
        _packet.DestinationPort, _ingress.Object.Value);

    private bool BindSource(SourceNatNode pool)
    {
        RouterNode router = pool.Router;
        if (_packet.Fragment == FragmentKind.Later)
        {
            Drop(DropReason.Fragment, router.Name, "a later fragment has no port to translate");
            return false;
        }

        bool isQuery = _packet.Protocol is IpProtocol.Tcp or IpProtocol.Udp
            || (_packet.IsIcmpv4 && _packet.IsEchoRequest);
        if (!isQuery)
        {
            Drop(DropReason.NatProtocol, router.Name, "source NAT translates TCP, UDP and ICMP echo");
            AnswerProhibited(); // RFC 5508 §6, REQ-8
            return false;
        }

        NatRequest request = RequestOf(pool);
        NatBinding binding;
        if (IsTraced || _isError)
        {
            if (!_nat.TryFind(request, out binding) && !TryInvent(pool, request, out binding)) return false;
        }
        else if (!_nat.TryBind(request, _now, out binding, out NatRefusal refusal))
        {
            Drop(refusal == NatRefusal.QuotaReached
                ? DropReason.NatQuota : DropReason.NatPortsExhausted, router.Name, "no port is free");

            // RFC 6888 §3, REQ-11 (b): code 1, which later tries may mend; RFC 5508 §6, REQ-8 had code 13.
            Answer(IcmpError.Unreachable(IcmpUnreachableCode.Host));
            return false;
        }

        _result.Binding = binding;
        _result.Zone = router.Id.Zone;
        SetSource(router, pool.Id, binding.PublicAddress, binding.PublicPort);
        return true;
    }

    // A trace takes no port; it shows the first one that the host owns.
    private bool TryInvent(SourceNatNode pool, in NatRequest request, out NatBinding binding)
    {
        NatBlockLease lease = pool.LocalLease;
        binding = new NatBinding(
            request.Zone, request.Protocol, request.Source, request.SourcePort, lease.Address, lease.FirstPort);
        if (_isError)
            Drop(DropReason.InvalidState, pool.Router.Name, "ICMP error about no connection");
        else if (lease.Host == ObjectId.None)
            Drop(DropReason.NatPortsExhausted, pool.Router.Name, "this host owns no port block");
        else
            return true;
        return false;
    }
}
