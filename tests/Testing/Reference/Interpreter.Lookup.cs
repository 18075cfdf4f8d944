using System;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <content>From a key to an action (lookup.h): the exact table, then the masked one.</content>
internal sealed partial class Interpreter
{
    private enum Found
    {
        Nothing,
        State, // an entry, but the agent decides: it is stale or holds state only
        Action,
    }

    private Found Find(Flow f, PortRow port, out Action action)
    {
        Found found = FindConnection(f, out action);
        return found == Found.Nothing ? FindClass(f, port, out action) : found;
    }

    private Found FindConnection(Flow f, out Action action)
    {
        action = new Action();
        return f.IsIp && Tables.Connections.TryGetValue(f.Key, out Entry? entry)
            ? Judge(f, entry, f.IsIpv6 ? "conn6" : "conn4", out action)
            : Found.Nothing;
    }

    /// <summary>Only masks that the port says it has; a stale class is passed over.</summary>
    private Found FindClass(Flow f, PortRow port, out Action action)
    {
        action = new Action();
        foreach (FlowMask mask in Enum.GetValues<FlowMask>())
        {
            if ((port.ClassMasks & (1 << (int)mask)) == 0 || (mask > FlowMask.L2 && !f.IsIp)) continue;
            if (Tables.Classes.TryGetValue(Masked(f, mask), out Entry? entry)
                && Judge(f, entry, "class", out action) == Found.Action)
            {
                Coverage.Met(mask);
                return Found.Action;
            }
        }

        return Found.Nothing;
    }

    private static ClassKey Masked(Flow f, FlowMask mask)
    {
        ConnKey key = f.Key;
        ClassKey masked = new(key.Port, f.EtherType, mask, 0, 0, FragmentKind.None, 0, 0, 0, 0);
        if (mask >= FlowMask.L2)
            masked = masked with { DestinationMac = key.DestinationMac, SourceMac = key.SourceMac };
        if (mask >= FlowMask.L3Destination) masked = masked with { Destination = key.Destination };
        if (mask >= FlowMask.L3) masked = masked with { Source = key.Source };
        if (mask >= FlowMask.L4Destination)
        {
            masked = masked with
            {
                Protocol = key.Protocol,
                DestinationPort = key.DestinationPort,
                Fragment = key.Fragment,
            };
        }

        return masked;
    }

    /// <summary>
    /// Tags that are not the key's are a miss; the verdict "upcall" or a stale class leaves its state.
    /// </summary>
    private Found Judge(Flow f, Entry entry, string table, out Action action)
    {
        action = entry.Action;
        Coverage.Found(table);
        if (entry.Tag != TagFault.None) return Found.Nothing;
        f.State = action.State;
        if (action.Verdict == FlowVerdict.Upcall || !IsCurrent(f, action)) return Found.State;
        entry.Packets += f.Packets;
        entry.Octets += f.Length;
        entry.TcpSeen = SeenWith(entry.TcpSeen, f.TcpSeen);
        entry.IsSeen = true;
        return Found.Action;
    }

    /// <summary>Flags add up; a packet without RST takes a RST back, a SYN a FIN too.</summary>
    private static byte SeenWith(byte seen, byte now)
    {
        const byte Syn = 1, Fin = 2, Rst = 4;
        if ((now & Rst) == 0) seen &= unchecked((byte)~((now & Syn) != 0 ? Rst | Fin : Rst));
        return (byte)(seen | now);
    }

    /// <summary>Hard generation: at once. Soft: it serves on, and one packet of its class tells the agent.</summary>
    private bool IsCurrent(Flow f, Action action)
    {
        if (action.ClassId == 0) return true;
        if (!Tables.Generations.TryGetValue(action.ClassId, out GenerationState? now))
            Tables.Generations[action.ClassId] = now = new GenerationState(0, 0, false);
        Coverage.Found("generation");
        if (now.Hard != action.Generation) return false;
        if (now.Soft == action.Soft || now.Revalidate || f.IsFromAgent) return true;
        now.Revalidate = SendUp(f, UpcallKind.Revalidate, isControl: true, action.ClassId);
        return true;
    }
}
