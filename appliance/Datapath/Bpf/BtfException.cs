using System;

namespace Genkan.Datapath.Bpf;

/// <summary>Octets are no BTF, or describe something that cannot be carried over by names.</summary>
internal sealed class BtfException : Exception
{
    public BtfException()
    {
    }

    public BtfException(string message)
        : base(message)
    {
    }

    public BtfException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
