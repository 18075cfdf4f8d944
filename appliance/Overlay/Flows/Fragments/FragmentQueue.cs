using System;
using System.Buffers;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>A fragment that has waited; give its octets back by <see cref="Return"/>.</summary>
/// <param name="upcall">What the kernel said of it.</param>
/// <param name="octets">Rented room.</param>
internal readonly struct WaitingFragment(in Upcall upcall, byte[] octets)
{
    public Upcall Upcall { get; } = upcall;

    /// <summary>The frame.</summary>
    public ReadOnlySpan<byte> Frame => octets.AsSpan(0, (int)Upcall.LengthOctets);

    /// <summary>Gives the room back; the frame is gone.</summary>
    public void Return() => ArrayPool<byte>.Shared.Return(octets);
}

/// <summary>
/// Later fragments that came before their first one. Bounded in number, for each port and in all, in octets and in
/// time: a port that fills its share hurts itself. When all together is full, the port that holds most makes room for
/// one that holds less (max-min fair): however many fill it, the next one still gets as much as each of them. Any
/// thread may use it; each call holds a lock for a few look-ups, and looks through all that wait only when it is full.
/// </summary>
internal sealed class FragmentQueue
{
    /// <summary>How long a fragment waits: reordering takes milliseconds, and a flood must not last.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromMilliseconds(500);

    private const int None = -1;

    private struct Item
    {
        public FragmentId Id;
        public WaitingFragment Fragment;
        public TimeSpan Due;
        public int NextOfDatagram;
        public int Newer;
        public int Older;
    }

    // What a port holds: its part of all items or of all octets, whichever is more, decides who is asked to make room.
    private struct Holding
    {
        public int Count;
        public int Octets;

        public readonly double Part(int moreOctets = 0) => Math.Max(
            (double)(Count + (moreOctets == 0 ? 0 : 1)) / FlowLimits.WaitingFragmentsMax,
            (double)(Octets + moreOctets) / FlowLimits.WaitingOctetsMax);
    }

    private readonly Lock _lock = new();
    private readonly Item[] _items = new Item[FlowLimits.WaitingFragmentsMax];
    private readonly Stack<int> _free = new(FlowLimits.WaitingFragmentsMax);
    private readonly Dictionary<FragmentId, (int Head, int Tail)> _datagrams = new(FlowLimits.WaitingFragmentsMax);
    private readonly Holding[] _ofPort = new Holding[FlowLimits.PortSlots];
    private int _oldest = None;
    private int _newest = None;
    private int _octets;

    public FragmentQueue()
    {
        for (int i = _items.Length - 1; i >= 0; i--) _free.Push(i);
    }

    /// <summary>Fragments that wait.</summary>
    public int Count => FlowLimits.WaitingFragmentsMax - _free.Count;

    /// <summary>Copies a fragment into the queue. If there is no room, <see cref="TryMakeRoom"/> and try
    /// again.</summary>
    /// <param name="id">Its datagram.</param>
    /// <param name="upcall">What the kernel said of it.</param>
    /// <param name="frame">Its octets, <see cref="Upcall.LengthOctets"/> of them.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if there is no room for it.</returns>
    public bool TryAdd(in FragmentId id, in Upcall upcall, ReadOnlySpan<byte> frame, TimeSpan now)
    {
        lock (_lock)
        {
            ref Holding ofPort = ref HoldingOf(id.Slot);
            bool hasRoom = ofPort.Count < FlowLimits.WaitingFragmentsPerPort
                && _octets + frame.Length <= FlowLimits.WaitingOctetsMax;
            if (!hasRoom || !_free.TryPop(out int at)) return false;

            byte[] octets = ArrayPool<byte>.Shared.Rent(frame.Length);
            frame.CopyTo(octets);
            _items[at] = new Item
            {
                Id = id,
                Fragment = new WaitingFragment(upcall with { LengthOctets = (uint)frame.Length }, octets),
                Due = now + WaitMax,
                NextOfDatagram = None,
                Newer = None,
                Older = _newest,
            };
            if (_newest != None) _items[_newest].Newer = at;
            else _oldest = at;
            _newest = at;

            ref (int Head, int Tail) datagram =
                ref CollectionsMarshal.GetValueRefOrAddDefault(_datagrams, id, out bool hasOthers);
            if (hasOthers) _items[datagram.Tail].NextOfDatagram = at;
            datagram = (hasOthers ? datagram.Head : at, at);
            ofPort.Count++;
            ofPort.Octets += frame.Length;
            _octets += frame.Length;
            return true;
        }
    }

    /// <summary>Drops the oldest fragment of the port that holds most, if another one would hold less even with what
    /// it asks for.</summary>
    /// <param name="slot">Who asks.</param>
    /// <param name="octets">Length of its frame.</param>
    /// <param name="victim">Port under which the drop is to be counted.</param>
    /// <returns>False if nobody holds more: then the one who asks has no room.</returns>
    public bool TryMakeRoom(uint slot, int octets, out uint victim)
    {
        lock (_lock)
        {
            victim = 0;
            if (HoldingOf(slot).Count >= FlowLimits.WaitingFragmentsPerPort) return false;
            double most = HoldingOf(slot).Part(octets);
            int oldest = None;
            for (int at = _oldest; at != None; at = _items[at].Newer)
            {
                double part = HoldingOf(_items[at].Id.Slot).Part();
                if (part > most) (most, oldest) = (part, at);
            }

            if (oldest == None) return false;
            victim = _items[oldest].Id.Slot;
            Remove(oldest).Return(); // of its port, and so of its datagram, it is the oldest
            return true;
        }
    }

    /// <summary>Takes the fragment of a datagram that has waited longest.</summary>
    /// <returns>False if none waits.</returns>
    public bool TryTake(in FragmentId id, out WaitingFragment fragment)
    {
        lock (_lock)
        {
            fragment = default;
            if (!_datagrams.TryGetValue(id, out (int Head, int Tail) datagram)) return false;
            fragment = Remove(datagram.Head);
            return true;
        }
    }

    /// <summary>Drops one fragment whose time is over.</summary>
    /// <param name="now">Time since boot.</param>
    /// <param name="slot">Port under which it is to be counted.</param>
    /// <returns>False if there is none.</returns>
    public bool TryExpire(TimeSpan now, out uint slot)
    {
        lock (_lock)
        {
            slot = 0;
            if (_oldest == None || _items[_oldest].Due > now) return false;
            slot = _items[_oldest].Id.Slot;
            Remove(_oldest).Return(); // of its datagram it is the oldest too
            return true;
        }
    }

    private WaitingFragment Remove(int at)
    {
        Item item = _items[at];
        if (item.NextOfDatagram == None) _datagrams.Remove(item.Id);
        else CollectionsMarshal.GetValueRefOrNullRef(_datagrams, item.Id).Head = item.NextOfDatagram;

        if (item.Older != None) _items[item.Older].Newer = item.Newer;
        else _oldest = item.Newer;
        if (item.Newer != None) _items[item.Newer].Older = item.Older;
        else _newest = item.Older;

        _items[at] = default;
        _free.Push(at);
        ref Holding ofPort = ref HoldingOf(item.Id.Slot);
        ofPort.Count--;
        ofPort.Octets -= item.Fragment.Frame.Length;
        _octets -= item.Fragment.Frame.Length;
        return item.Fragment;
    }

    private ref Holding HoldingOf(uint slot) => ref _ofPort[slot < FlowLimits.PortSlots ? slot : 0];
}
