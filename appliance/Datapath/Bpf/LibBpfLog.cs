using System;
using System.Runtime.InteropServices;
using System.Text;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// Hears libbpf's warnings (the verifier's log among them) for the thread that opens or loads an object.
/// </summary>
internal static unsafe class LibBpfLog
{
    private const int LevelWarning = 0;
    private const int MessageSizeMax = 16 << 20; // the verifier's longest log; untouched pages cost nothing
    private const int KeptCharCount = 6000; // its end says why

    [ThreadStatic]
    private static StringBuilder? _heard;

    static LibBpfLog() => LibBpf.SetPrint(&Print);

    /// <summary>Begins to listen on this thread.</summary>
    internal static void Start() => _heard = new StringBuilder();

    /// <summary>Ends listening and returns the end of what was heard.</summary>
    internal static string Stop()
    {
        string text = _heard?.ToString() ?? "";
        _heard = null;
        return text.Length <= KeptCharCount ? text : "... " + text[^KeptCharCount..];
    }

    /// <summary>libbpf_print_fn_t. A va_list is passed by reference on x86-64 and arm64 alike.</summary>
    [UnmanagedCallersOnly]
    private static int Print(int level, byte* format, void* arguments)
    {
        if (_heard is null || level != LevelWarning) return 0;
        byte* buffer = (byte*)NativeMemory.Alloc(MessageSizeMax);
        int length = Math.Min(Libc.Vsnprintf(buffer, MessageSizeMax, format, arguments), MessageSizeMax - 1);
        if (length > 0) _heard.Append(Encoding.UTF8.GetString(buffer, length));
        NativeMemory.Free(buffer);
        return 0;
    }
}
