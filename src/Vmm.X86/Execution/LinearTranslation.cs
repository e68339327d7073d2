namespace Vmm.X86.Execution;

/// <summary>With whose rights a data access is made (SDM Vol. 3A 4.6).</summary>
public enum DataPrivilege : byte
{
    /// <summary>The CPL's.</summary>
    Current,

    /// <summary>User, whatever the CPL.</summary>
    User,

    /// <summary>Explicit supervisor, whatever the CPL.</summary>
    Supervisor,

    /// <summary>Implicit supervisor: descriptor tables and TSS; never subject to SMAP's AC override.</summary>
    ImplicitSupervisor,
}

/// <summary>Where a linear address leads.</summary>
public unsafe struct LinearTranslation
{
    /// <summary>Guest-physical address, offset included.</summary>
    public ulong Physical;

    /// <summary>Host address of the page; null where there is no memory to touch directly.</summary>
    public byte* Host;

    /// <summary>What the second level says of the page.</summary>
    public PhysicalPageKind Kind;

    /// <summary>See <see cref="PhysicalPage.TrackWrites"/>.</summary>
    public bool TrackWrites;
}
