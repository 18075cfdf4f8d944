using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Peers;

namespace Genkan.Benchmarks;

/// <summary>A VM's packets to the outside: source NAT and security groups, against nftables with conntrack.</summary>
internal sealed class SnatPps(string name, int flowCount) : IBenchmark
{
    private RouterOurs? _ours;
    private RouterPeer? _peer;

    public string Name => name;

    public string Summary =>
        $"64-octet frames through source NAT and security groups, flows: {flowCount}; peer: nftables masquerade";

    public string Unit => "Mpps";

    public string? Peer => "nftables masquerade, stateful filter";

    public bool LowerIsBetter => false;

    public void PreparePeer() => _peer = new RouterPeer(masquerade: true, flowCount);

    public void PrepareOurs() => _ours = new RouterOurs(translated: true, flowCount);

    public double RunOurs() => _ours!.Measure();

    public double RunPeer() => _peer!.Measure();

    public void Dispose()
    {
        _ours?.Dispose();
        _peer?.Dispose();
    }
}
