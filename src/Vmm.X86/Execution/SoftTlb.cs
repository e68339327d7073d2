using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>One soft-TLB entry: from a guest linear page straight to host memory.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TlbEntry
{
    /// <summary>Linear address of the page, or <see cref="SoftTlb.Empty"/>.</summary>
    public ulong Tag;

    /// <summary>Added to a linear address of the page it gives the host address.</summary>
    public long Addend;
}

/// <summary>
/// Constants of the soft TLB. A probe is one subtraction and one compare: <c>linear - Tag &lt;= 4096 - size</c> (unsigned) holds only when
/// the page
/// matches and the access stays inside it.
/// </summary>
public static class SoftTlb
{
    /// <summary>Entries of one bank.</summary>
    public const int Entries = 1024;

    /// <summary>
    /// Banks: one for each way a data access can be privileged, and one that stays empty, in use while alignment is checked, so that every
    /// access
    /// takes the slow path.
    /// </summary>
    public const int Banks = 4;

    /// <summary>
    /// Tag of an empty entry. A probe comes before the check for a canonical address, so the tag must be one of a page that would be probed
    /// in another
    /// entry: this page's entry is 0, which has <see cref="EmptyFirst"/>.
    /// </summary>
    public const ulong Empty = 0x8000_0000_0000_0000;

    /// <summary>Tag of entry 0 when it is empty: a page that would be probed in entry 1.</summary>
    public const ulong EmptyFirst = Empty + 0x1000;
}
