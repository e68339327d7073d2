namespace Vmm.X86.Paging;

/// <summary>
/// What a translation allows, after CR0.WP, CR4.SMEP, CR4.SMAP and EFER.NXE are taken into account. The three user bits are the three
/// supervisor bits shifted left by <see cref="PageRightsExtensions.UserShift"/>.
/// </summary>
[Flags]
public enum PageRights : byte
{
    /// <summary>Nothing is allowed.</summary>
    None = 0,

    /// <summary>Supervisor-mode data reads (under the SMAP override of the access that was walked).</summary>
    SupervisorRead = 1 << 0,

    /// <summary>Supervisor-mode data writes (under the SMAP override of the access that was walked).</summary>
    SupervisorWrite = 1 << 1,

    /// <summary>Supervisor-mode instruction fetches.</summary>
    SupervisorExecute = 1 << 2,

    /// <summary>User-mode data reads.</summary>
    UserRead = 1 << 3,

    /// <summary>User-mode data writes.</summary>
    UserWrite = 1 << 4,

    /// <summary>User-mode instruction fetches.</summary>
    UserExecute = 1 << 5,

    /// <summary>Everything: what a processor with paging off allows.</summary>
    All = SupervisorRead | SupervisorWrite | SupervisorExecute | UserRead | UserWrite | UserExecute,
}
