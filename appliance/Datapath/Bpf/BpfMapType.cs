namespace Genkan.Datapath.Bpf;

/// <summary>enum bpf_map_type: the map types that are used here.</summary>
public enum BpfMapType
{
    /// <summary>Exact keys.</summary>
    Hash = 1,

    /// <summary>Index keys, all elements always there.</summary>
    Array = 2,

    /// <summary>One hash value a CPU.</summary>
    PerCpuHash = 5,

    /// <summary>One array value a CPU.</summary>
    PerCpuArray = 6,

    /// <summary>Exact keys; forgets the least recently used.</summary>
    LruHash = 9,

    /// <summary>Longest prefix match.</summary>
    LpmTrie = 11,

    /// <summary>An array whose elements are maps.</summary>
    ArrayOfMaps = 12,

    /// <summary>A hash whose elements are maps.</summary>
    HashOfMaps = 13,

    /// <summary>A ring of records from programs to the agent.</summary>
    RingBuffer = 27,
}

/// <summary>BPF_F_* of BPF_MAP_CREATE.</summary>
[System.Flags]
public enum BpfMapFlags
{
    /// <summary>None: a hash is preallocated.</summary>
    None = 0,

    /// <summary>BPF_F_NO_PREALLOC.</summary>
    NoPrealloc = 1 << 0,

    /// <summary>BPF_F_RDONLY_PROG: programs only read.</summary>
    ReadOnlyProgram = 1 << 7,

    /// <summary>BPF_F_MMAPABLE: an array that the agent maps into its memory.</summary>
    Mmapable = 1 << 10,
}

/// <summary>What an update does with a key that exists or does not (BPF_ANY, BPF_NOEXIST, BPF_EXIST).</summary>
public enum BpfUpdate
{
    /// <summary>Create or replace.</summary>
    Any = 0,

    /// <summary>Create; <c>EEXIST</c> if the key is there.</summary>
    NoExist = 1,

    /// <summary>Replace; <c>ENOENT</c> if the key is not there.</summary>
    Exist = 2,
}
