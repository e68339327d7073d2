namespace Vmm.Conformance;

/// <summary>Modes that the kit can enter a guest in.</summary>
public enum GuestMode
{
    /// <summary>Real mode.</summary>
    Real,

    /// <summary>16-bit protected mode.</summary>
    Protected16,

    /// <summary>Flat 32-bit protected mode without paging.</summary>
    Protected32,

    /// <summary>Flat 32-bit protected mode with 32-bit paging.</summary>
    Paged32,

    /// <summary>Flat 32-bit protected mode with PAE paging.</summary>
    Pae,

    /// <summary>64-bit mode with 4-level paging.</summary>
    Long,

    /// <summary>Flat 32-bit code under 4-level paging.</summary>
    Compatibility,
}
