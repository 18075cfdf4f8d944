using System;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <summary>
/// One packet on its way. Each stage either ends the walk (dropped, answered, an egress) or sets <c>_next</c>, the
/// port by which the packet enters the next device.
/// </summary>
internal ref partial struct Walk
{
    private readonly TopologySnapshot _topology;
    private readonly IConnections _connections;
    private readonly NatTable _nat;
    private readonly SimulationResult _result;
    private readonly ReadOnlySpan<byte> _frame;
    private readonly ref readonly PacketHeader _original;
    private readonly ref PacketHeader _packet;
    private readonly Ingress _ingress;
    private readonly TimeSpan _now;

    /// <summary>State of the connection that the packet, or the packet that an ICMP error quotes, belongs to.</summary>
    private ConnectionState _state;

    /// <summary>Exterior or uplink port where the packet entered; null for floods and NAT returns.</summary>
    private PortNode? _ingressPort;
    private PortNode? _next;

    /// <summary>An ICMP error: <c>_packet</c> is the answer to the packet that it quotes, and takes the error
    /// along.</summary>
    private bool _isError;
    private PacketHeader _quoted;
    private bool _tagsOverflow;

    /// <summary>The router whose address and MAC the sender knows: it signs what no later router does.</summary>
    private RouterNode? _firstRouter;
    private PortNode? _firstRouterPort;

    public Walk(
        TopologySnapshot topology,
        IConnections connections,
        NatTable nat,
        in Ingress ingress,
        ref readonly PacketHeader original,
        ReadOnlySpan<byte> frame,
        TimeSpan now,
        SimulationResult result)
    {
        _topology = topology;
        _connections = connections;
        _nat = nat;
        _ingress = ingress;
        _original = ref original;
        _frame = frame;
        _now = now;
        _result = result;
        _packet = ref result.Packet;
        _state = ingress.State;
    }

    private readonly bool IsTraced => _result.Trace is not null;

    /// <summary>Walks to the end.</summary>
    public void Run()
    {
        switch (_ingress.Kind)
        {
            case IngressKind.Port: EnterPort(); break;
            case IngressKind.Flood: EnterFlood(); break;
            case IngressKind.NatReturn: EnterNatReturn(); break;
            default: Drop(DropReason.PortUnknown); break;
        }

        for (int devices = 1; _next is { } port; devices++)
        {
            _next = null;
            if (devices > TopologyLimits.DevicesPerPacketMax) Drop(DropReason.DeviceLoop);
            else if (port.Bridge is { } bridge) AtBridge(bridge, port);
            else AtRouter(port.Router!, port);
        }

        if (_ingress.MtuOctets != 0 && _result.Verdict == SimulationVerdict.Forward) TellMtu((int)_ingress.MtuOctets);
        if (_isError && _result.Verdict == SimulationVerdict.Forward) FinishError();
        if (!_tagsOverflow) return;

        // Copies to many ports depend on more objects than an entry may name: each packet is then simulated for itself.
        bool isCopied = _result.Verdict == SimulationVerdict.Forward && _result.Egress.Kind == EgressKind.Replicate;
        if (isCopied || _result.Verdict == SimulationVerdict.Drop) _result.IsCacheable = false;
        else Drop(DropReason.DeviceLoop);
    }

    private void Tag(ObjectId id) => _tagsOverflow |= !_result.TryTag(id);

    private readonly void Read(FieldSet fields) => _result.Fields |= fields;

    private void Drop(DropReason reason)
    {
        _result.Verdict = SimulationVerdict.Drop;
        _result.DropReason = reason;
        _result.Egress = default;
        _next = null;
    }

    private void Drop(DropReason reason, string device, string text)
    {
        Drop(reason);
        _result.Trace?.Add(new TraceStep(device, text));
    }

    private readonly void Consume()
    {
        _result.Verdict = SimulationVerdict.Consume;
        _result.DropReason = DropReason.Answered;
        _result.IsCacheable = false;
    }

    private readonly void Forward(in Egress egress)
    {
        _result.Verdict = SimulationVerdict.Forward;
        _result.DropReason = DropReason.None;
        _result.Egress = egress;
    }

    /// <summary>The flow needs an exact entry from here on, and one for its answers.</summary>
    private readonly void BecomeStateful()
    {
        _result.State = _state == ConnectionState.Reply ? ConnectionState.Reply : ConnectionState.Forward;
        Read(FieldSet.Connection);
    }
}
