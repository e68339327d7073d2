using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>One entry of the per-processor jump cache: from a linear RIP straight to decoded code.</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal unsafe struct JumpCacheEntry
{
    /// <summary>Linear address of the first instruction.</summary>
    public ulong Rip;

    /// <summary><see cref="VcpuState.JumpKey"/> when it was filled.</summary>
    public ulong Key;

    /// <summary>First operation.</summary>
    public DecodedOperation* Entry;

    /// <summary>Entries in the cache.</summary>
    public const int Count = 4096;

    /// <summary>Index of a linear address.</summary>
    public static int Slot(ulong rip) => (int)((rip ^ (rip >> 11)) & (Count - 1));
}
