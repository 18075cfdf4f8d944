using System.Collections.Immutable;
using Genkan.Control.Model;

namespace Genkan.Control.Plan;

/// <summary>Which host translates with which ports of a SNAT address.</summary>
internal static class SnatShares
{
    private const int PortCount = 65_536;

    /// <summary>The blocks asked for; without any, equal shares in whole granules, in the order of the hosts.</summary>
    public static ImmutableArray<SnatBlock> Of(StatePlan plan, ExternalGateway gateway)
    {
        if (gateway.Address is null || !gateway.IsSnatEnabled) return [];
        if (!gateway.SnatBlocks.IsEmpty) return gateway.SnatBlocks;
        ImmutableArray<Host> hosts = plan.State.Hosts;
        if (hosts.IsEmpty) return [];
        int granules = (PortCount - ControlLimits.SnatPortMin) / ControlLimits.SnatGranule;
        ImmutableArray<SnatBlock>.Builder blocks = ImmutableArray.CreateBuilder<SnatBlock>(hosts.Length);
        for (int i = 0; i < hosts.Length; i++)
        {
            int first = ControlLimits.SnatPortMin + (granules * i / hosts.Length * ControlLimits.SnatGranule);
            int next = ControlLimits.SnatPortMin + (granules * (i + 1) / hosts.Length * ControlLimits.SnatGranule);
            if (next > first) blocks.Add(new SnatBlock(hosts[i].Name, (ushort)first, (ushort)(next - 1)));
        }

        return blocks.ToImmutable();
    }
}
