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
/// time: a port that fills its share hurts itself. Any thread may use it; each call holds a lock for a few look-ups.
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

    private readonly Lock _lock = new();
    private readonly Item[] _items = new Item[FlowLimits.WaitingFragmentsMax];
    private readonly Stack<int> _free = new(FlowLimits.WaitingFragmentsMax);
    private readonly Dictionary<FragmentId, (int Head, int Tail)> _datagrams = new(FlowLimits.WaitingFragmentsMax);
    private readonly byte[] _ofPort = new byte[FlowLimits.PortSlots];
    private int _oldest = None;
    private int _newest = None;
    private int _octets;

    public FragmentQueue()
    {
        for (int i = _items.Length - 1; i >= 0; i--) _free.Push(i);
    }

    /// <summary>Fragments that wait.</summary>
    public int Count => FlowLimits.WaitingFragmentsMax - _free.Count;

    /// <summary>Copies a fragment into the queue.</summary>
    /// <param name="id">Its datagram.</param>
    /// <param name="upcall">What the kernel said of it.</param>
    /// <param name="frame">Its octets, <see cref="Upcall.LengthOctets"/> of them.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if there is no room for it.</returns>
    public bool TryAdd(in FragmentId id, in Upcall upcall, ReadOnlySpan<byte> frame, TimeSpan now)
    {
        lock (_lock)
        {
            ref byte ofPort = ref _ofPort[id.Slot < FlowLimits.PortSlots ? id.Slot : 0];
            bool hasRoom = ofPort < FlowLimits.WaitingFragmentsPerPort
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
            ofPort++;
            _octets += frame.Length;
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
        _ofPort[item.Id.Slot < FlowLimits.PortSlots ? item.Id.Slot : 0]--;
        _octets -= item.Fragment.Frame.Length;
        return item.Fragment;
    }
}
