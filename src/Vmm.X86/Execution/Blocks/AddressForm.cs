namespace Vmm.X86.Execution;

/// <summary>How a memory operand's linear address is made: which <see cref="IAddress"/>, or none of them.</summary>
internal enum AddressForm
{
    /// <summary><see cref="BaseAddress"/></summary>
    Base,

    /// <summary><see cref="IndexedAddress"/></summary>
    Indexed,

    /// <summary><see cref="RipAddress"/></summary>
    Rip,

    /// <summary><see cref="ThreadAddress"/></summary>
    Thread,

    /// <summary><see cref="ShortAddress"/></summary>
    Short,

    /// <summary>With every check of segmentation.</summary>
    Checked,

    /// <summary>Not to be put into a compact operation.</summary>
    None,
}
