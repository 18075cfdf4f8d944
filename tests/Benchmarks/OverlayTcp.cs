using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Peers;

namespace Genkan.Benchmarks;

/// <summary>TCP between VMs on two hosts, against the kernel's bridge and VXLAN with offloads on.</summary>
internal sealed class OverlayTcp : IBenchmark
{
    private OverlayOurs? _ours;
    private VxlanPeer? _peer;

    public string Name => "overlay-tcp";

    public string Summary => "one TCP connection between VMs on two hosts; peer: kernel bridge + VXLAN";

    public string Unit => "Gbit/s";

    public string? Peer => "kernel bridge + VXLAN";

    public bool LowerIsBetter => false;

    public void PreparePeer() => _peer = new VxlanPeer();

    public void PrepareOurs() => _ours = new OverlayOurs();

    public double RunOurs() => _ours!.Measure();

    public double RunPeer() => _peer!.Measure();

    public void Dispose()
    {
        _ours?.Dispose();
        _peer?.Dispose();
    }
}
