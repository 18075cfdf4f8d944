using System;
using Genkan.Datapath.Namespaces;
using Genkan.Datapath.Native;

namespace Genkan.Testing.Kernel;

/// <summary>
/// A test's own network namespace, gone with the test. This folder is compiled into the tests that touch the kernel,
/// not into Genkan.Testing, so that a sans-I/O library's tests never need the BPF compiler.
/// </summary>
public sealed class Netns : IDisposable
{
    private readonly NetworkNamespace _namespace;

    public Netns()
    {
        DemandRoot();
        _namespace = NetworkNamespace.CreateAnonymous();
    }

    public NetworkNamespace Namespace => _namespace;

    /// <summary>Runs a function inside.</summary>
    public void Run(Action function) => _namespace.Run(function);

    /// <summary>Runs a function inside.</summary>
    public T Run<T>(Func<T> function) => _namespace.Run(function);

    /// <summary>Fails with a clear word where the tests lack their rights.</summary>
    public static void DemandRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new KernelException(
                "test", Errno.EPERM, "These tests make network namespaces and load BPF: run them as root.");
        }
    }

    public void Dispose() => _namespace.Dispose();
}
