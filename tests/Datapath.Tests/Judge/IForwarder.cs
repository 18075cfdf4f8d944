using System;
using System.Collections.Generic;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>A frame and the VM that got it.</summary>
internal sealed record Arrival(string Port, byte[] Frame);

/// <summary>One realisation of a world.</summary>
internal interface IForwarder : IDisposable
{
    /// <summary>Sends a frame as a VM, and waits for all that comes of it.</summary>
    /// <returns>What all VMs got, in no certain order.</returns>
    List<Arrival> Forward(string port, ReadOnlySpan<byte> frame);
}
