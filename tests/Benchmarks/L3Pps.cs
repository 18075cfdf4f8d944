using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Peers;

namespace Genkan.Benchmarks;

/// <summary>Two virtual networks and a router on one host, against Linux that routes between two veths.</summary>
internal sealed class L3Pps : IBenchmark
{
    private RouterOurs? _ours;
    private RouterPeer? _peer;

    public string Name => "l3-pps";

    public string Summary => "64-octet frames between two networks on one host, one core for all; peer: Linux routing";

    public string Unit => "Mpps";

    public string? Peer => "Linux routing";

    public bool LowerIsBetter => false;

    public void PreparePeer() => _peer = new RouterPeer(masquerade: false, flowCount: 1);

    public void PrepareOurs() => _ours = new RouterOurs(translated: false, flowCount: 1);

    public double RunOurs() => _ours!.Measure();

    public double RunPeer() => _peer!.Measure();

    public void Dispose()
    {
        _ours?.Dispose();
        _peer?.Dispose();
    }
}
