using System.Collections.Generic;
using Genkan.Datapath.Bpf;

namespace Genkan.Datapath.Migration;

/// <summary>Programs over a host's tables.</summary>
/// <param name="Set">Programs and tables.</param>
/// <param name="Migrated">Tables that were carried over to another layout.</param>
/// <param name="Unread">Packets that waited in rings of another layout.</param>
/// <param name="UnreadLostCount">Those of them that made no sense.</param>
internal sealed record LoadedGeneration(
    BpfProgramSet Set, IReadOnlySet<string> Migrated, IReadOnlyList<UnreadUpcall> Unread, int UnreadLostCount);
