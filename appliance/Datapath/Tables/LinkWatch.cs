using System;
using Genkan.Datapath.Netlink;

namespace Genkan.Datapath.Tables;

/// <summary>Notices that interfaces came, went or changed.</summary>
internal sealed class LinkWatch : IDisposable
{
    private readonly RouteMonitor _monitor = new();

    /// <summary>Whether anything happened since the last question.</summary>
    internal bool HasChanged()
    {
        bool hasChanged = false;
        while (_monitor.TryRead() is { } change)
        {
            hasChanged |= change is RouteEvent.LinkChanged or RouteEvent.LinkRemoved or RouteEvent.Overflow;
        }

        return hasChanged;
    }

    /// <inheritdoc/>
    public void Dispose() => _monitor.Dispose();
}
