namespace Vmm.Emulator.NestedPaging;

/// <summary>What a walk of the second level found.</summary>
internal struct NestedWalkResult
{
    /// <summary>Granted: the host address of the very byte that was asked for; 0 otherwise.</summary>
    public nuint HostAddress;

    /// <summary>How the walk ended.</summary>
    public NestedWalkStatus Status;

    /// <summary>Granted, or a violation: what the page allows.</summary>
    public GuestAccess Rights;

    /// <summary>Granted, or a violation: the size of the page as a power of two, 12, 21 or 30.</summary>
    public byte PageSizeLog2;

    /// <summary>How many table entries were read, 0 to 4.</summary>
    public byte Depth;

    /// <summary>Granted: the dirty flag is set (after this access), so a later write needs no walk.</summary>
    public bool Dirty;
}
