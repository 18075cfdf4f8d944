using System;

namespace Genkan.Datapath.Tables;

/// <summary>The host cannot carry a data plane as it is: a fault of the operator's or of the machine, said with what
/// to do.</summary>
public sealed class DatapathException : Exception
{
    /// <summary>Makes a fault without words; only for tools that demand it.</summary>
    public DatapathException()
    {
    }

    /// <summary>Makes the fault.</summary>
    /// <param name="message">What is wrong, and what to do.</param>
    public DatapathException(string message) : base(message)
    {
    }

    /// <summary>Makes the fault from the one beneath it.</summary>
    /// <param name="message">What is wrong, and what to do.</param>
    /// <param name="inner">What the kernel said.</param>
    public DatapathException(string message, Exception inner) : base(message, inner)
    {
    }
}
