using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Netlink;

/// <summary>
/// Whether the namespace of the thread that opened this has IPsec policies (RFC 4301 §4.4.1), and when they change.
/// Policies of single sockets do not count.
/// </summary>
internal sealed class IpsecPolicies : IDisposable
{
    private readonly NetlinkSocket? _questions;
    private readonly NetlinkSocket? _events;

    /// <summary>Begins to listen.</summary>
    /// <exception cref="KernelException">Refused for another reason than a kernel without IPsec.</exception>
    internal IpsecPolicies()
    {
        try
        {
            _questions = new NetlinkSocket(NetlinkSocket.ProtocolXfrm);
            _events = new NetlinkSocket(NetlinkSocket.ProtocolXfrm);
            _events.Join(XfrmRegistry.GroupPolicy);
        }
        catch (KernelException e) when (e.Error == Errno.EPROTONOSUPPORT)
        {
            _questions = null; // such a kernel never has one
        }
    }

    /// <summary>Whether there is one, for any packet.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    internal bool Any()
    {
        if (_questions is null) return false;
        uint count = 0;
        NetlinkMessage message = new(XfrmRegistry.GetPolicyInfo, NetlinkFlags.None, stackalloc byte[sizeof(uint)]);
        Errno error = _questions.Request(message, dump: false, Read, out string explanation);
        if (error != Errno.None) throw new KernelException("netlink: count IPsec policies", error, explanation);
        return count != 0;

        // A word of flags, then struct xfrmu_spdinfo: how many policies lead in, out, and through.
        void Read(NetlinkType type, ReadOnlySpan<byte> body)
        {
            if (body.Length < sizeof(uint)) return;
            NetlinkAttributes attributes = new(body[sizeof(uint)..]);
            while (attributes.TryNext())
            {
                if (attributes.Type != XfrmRegistry.PolicyInfoAttribute) continue;
                foreach (uint policies in MemoryMarshal.Cast<byte, uint>(attributes.Value)[..2]) count += policies;
            }
        }
    }

    /// <summary>Whether any came or went since the last question. Never waits.</summary>
    /// <exception cref="KernelException">The socket broke.</exception>
    internal bool HasChanged()
    {
        if (_events is null) return false;
        bool hasChanged = false;
        while (true)
        {
            _events.Receive(Libc.MsgDontWait, out Errno error);
            if (error == Errno.EAGAIN) return hasChanged;
            if (error is not (Errno.None or Errno.ENOBUFS)) throw new KernelException("netlink: IPsec policies", error);
            hasChanged = true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _questions?.Dispose();
        _events?.Dispose();
    }
}
