using System;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks;

/// <summary>A sender, a receiver and what is measured between them.</summary>
internal interface ITestbed : IDisposable
{
    /// <summary>Where both stand.</summary>
    Lab Lab { get; }

    /// <summary>Namespace that sends, by its <c>eth0</c>.</summary>
    string Sender { get; }

    /// <summary>Namespace that receives, by its <c>eth0</c>.</summary>
    string Receiver { get; }

    /// <summary>Address of the receiver.</summary>
    string ReceiverAddress { get; }

    /// <summary>Frames that go the whole way.</summary>
    UdpBursts Bursts { get; }

    /// <summary>Frames that answer them, or null if a connection is established without.</summary>
    UdpBursts? Answers { get; }
}
