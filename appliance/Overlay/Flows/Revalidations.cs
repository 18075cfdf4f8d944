using System.Collections.Generic;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>Flow classes that asked for revalidation, until a whole pass of the sweep has answered. Workers ask; the
/// sweep, which has them stand still, does the rest.</summary>
internal sealed class Revalidations
{
    private readonly Lock _asking = new();
    private readonly bool[] _isWaiting = new bool[FlowClasses.ClassesMax];
    private List<uint> _waiting = [];
    private List<uint> _inPass = [];

    /// <summary>Whether a class waits for the next pass.</summary>
    public bool IsWanted => Volatile.Read(ref _waiting).Count > 0;

    /// <summary>Notes that flows of a class are stale; once a class.</summary>
    public void Ask(uint classId)
    {
        if (classId is 0 or >= FlowClasses.ClassesMax || Volatile.Read(ref _isWaiting[classId])) return;
        lock (_asking)
        {
            if (_isWaiting[classId]) return;
            _isWaiting[classId] = true;
            _waiting.Add(classId);
        }
    }

    /// <summary>The pass that begins answers all that wait; who asks from here on waits for the next.</summary>
    public void BeginPass()
    {
        (_waiting, _inPass) = (_inPass, _waiting);
        foreach (uint id in _inPass) _isWaiting[id] = false;
    }

    /// <summary>Lets the classes that the pass has answered ask again.</summary>
    public void EndPass(IDatapath datapath)
    {
        foreach (uint id in _inPass) datapath.Rearm(id);
        _inPass.Clear();
    }
}
