namespace Genkan.Datapath.Migration;

/// <summary>Where a migration stands; tests end it at each.</summary>
internal enum MigrationStep
{
    /// <summary>New programs and tables are loaded; the old ones work.</summary>
    Loaded,

    /// <summary>One table was carried over.</summary>
    TableCopied,

    /// <summary>All is there and pinned, but for the name that says so.</summary>
    Prepared,

    /// <summary>From now on whoever comes goes forward.</summary>
    Committed,

    /// <summary>One interface changed its program.</summary>
    InterfaceSwitched,

    /// <summary>One table has what the old programs wrote meanwhile.</summary>
    TableMerged,

    /// <summary>Unread packets of the old rings were taken.</summary>
    RingsDrained,

    /// <summary>One table took its old one's place.</summary>
    TablePromoted,

    /// <summary>Nothing of the old generation is left.</summary>
    Finished,
}
