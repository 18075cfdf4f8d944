using System;
using Genkan.Datapath.Netlink;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>Notices that interfaces, the underlay's address or IPsec policies came, went or changed.</summary>
/// <param name="underlay">The address.</param>
internal sealed class LinkWatch(IpAddress underlay) : IDisposable
{
    private readonly RouteMonitor _monitor = new();
    private readonly IpsecPolicies _policies = new();

    /// <summary>Whether IPsec guards anything on this host.</summary>
    internal bool HasIpsec => _policies.Any();

    /// <summary>Whether anything happened since the last question.</summary>
    internal bool HasChanged()
    {
        bool hasChanged = _policies.HasChanged();
        while (_monitor.TryRead() is { } change)
        {
            hasChanged |= change switch
            {
                RouteEvent.AddressAdded(_, var added) => added.Address == underlay,
                RouteEvent.AddressRemoved(_, var removed) => removed.Address == underlay,
                _ => true,
            };
        }

        return hasChanged;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _policies.Dispose();
        _monitor.Dispose();
    }
}
