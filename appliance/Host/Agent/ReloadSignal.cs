using System;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace Genkan.Host.Agent;

/// <summary>SIGHUP reads the configuration again, as operators expect of a daemon.</summary>
internal static class ReloadSignal
{
    /// <summary>Has an action run at each SIGHUP until disposed.</summary>
    public static IDisposable Register(Func<Task> reload) =>
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
    {
        context.Cancel = true; // the default would end the process
        _ = reload();
    });
}
