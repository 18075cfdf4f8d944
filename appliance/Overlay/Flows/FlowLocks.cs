using System.Diagnostics;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Locks of connections, by hash: whoever replaces or removes entries of a connection has the locks of both of its keys
/// meanwhile. Whoever only adds a key that is not there needs none, since the table itself says who was first.
/// </summary>
internal sealed class FlowLocks
{
    /// <summary>Two of 16 workers meet at one by chance once in thousands of connections, and then wait for two system
    /// calls.</summary>
    public const int Count = 1024;

    private readonly Lock[] _locks = new Lock[Count];

    /// <summary>Makes all locks.</summary>
    public FlowLocks()
    {
        for (int i = 0; i < Count; i++) _locks[i] = new Lock();
    }

    /// <summary>Takes the locks of two keys, in one order for all; <see cref="Exit"/> gives them back.</summary>
    /// <param name="one">A key.</param>
    /// <param name="other">The other one; the same if there is one only.</param>
    public void Enter(in FlowKey one, in FlowKey other)
    {
        (int first, int second) = Order(one, other);
        _locks[first].Enter();
        if (second != first) _locks[second].Enter();
    }

    /// <summary>Gives the locks of two keys back.</summary>
    public void Exit(in FlowKey one, in FlowKey other)
    {
        (int first, int second) = Order(one, other);
        Debug.Assert(_locks[first].IsHeldByCurrentThread, "Only what was taken is given back.");
        if (second != first) _locks[second].Exit();
        _locks[first].Exit();
    }

    private static (int First, int Second) Order(in FlowKey one, in FlowKey other)
    {
        (int a, int b) = (IndexOf(one), IndexOf(other));
        return a < b ? (a, b) : (b, a);
    }

    private static int IndexOf(in FlowKey key)
    {
        ulong h = (ulong)key.Source.Value ^ ((ulong)key.Destination.Value * 0x9e3779b97f4a7c15);
        h ^= ((ulong)key.SourcePort << 32) | ((ulong)key.DestinationPort << 16) | key.KeyPort;
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
        return (int)((h >> 32) % Count);
    }
}
