using System;
using System.Diagnostics;
using Genkan.Datapath.Native;
using Genkan.Datapath.Rings;

namespace Genkan.Datapath.Netlink;

/// <summary>Waits for interfaces in the namespace of the calling thread.</summary>
public static class LinkWaiter
{
    /// <summary>
    /// Waits until an interface can send. An interface that was just set up drops frames in silence until the kernel
    /// has taken note of its carrier (<see cref="LinkInfo.IsRunning"/>).
    /// </summary>
    /// <param name="ifindex">Interface.</param>
    /// <param name="timeout">How long at most.</param>
    /// <returns>False if the time is over or the interface is gone.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static bool WaitUntilRunning(int ifindex, TimeSpan timeout)
    {
        using RouteMonitor monitor = new(); // before the look, so that no change is missed
        using RouteSocket route = new();
        using Poller poller = new();
        monitor.AddTo(poller, token: 0);
        Span<int> ready = stackalloc int[1];
        long start = Stopwatch.GetTimestamp();
        while (route.FindLink(ifindex) is { } link)
        {
            if (link.IsRunning) return true;
            TimeSpan rest = timeout - Stopwatch.GetElapsedTime(start);
            if (rest <= TimeSpan.Zero) return false;
            poller.Wait(rest, ready);
            while (monitor.TryRead() is not null)
            {
                // Whatever changed: the look above tells.
            }
        }
        return false;
    }
}
