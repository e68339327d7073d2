namespace Vmm.X86.Paging;

/// <summary>
/// An access as the paging unit sees it. The values of <see cref="Write"/>, <see cref="User"/> and <see cref="Execute"/> are those of the
/// matching bits of the page-fault error code (SDM Vol. 3A 4.7).
/// </summary>
[Flags]
public enum PageAccess : uint
{
    /// <summary>A data read by supervisor-mode software.</summary>
    Read = 0,

    /// <summary>A data write (a read-modify-write is a write).</summary>
    Write = 1 << 1,

    /// <summary>
    /// A user-mode access: an explicit access at CPL 3. Implicit accesses (descriptor tables, TSS) never are (SDM Vol. 3A 4.6).
    /// </summary>
    User = 1 << 2,

    /// <summary>An instruction fetch; not combined with <see cref="Write"/>.</summary>
    Execute = 1 << 4,

    /// <summary>
    /// SMAP does not apply: an explicit supervisor-mode data access with EFLAGS.AC = 1. An implicit supervisor-mode access never carries
    /// this flag, whatever EFLAGS.AC is (SDM Vol. 3A 4.6.1).
    /// </summary>
    SmapOverride = 1 << 16,
}
