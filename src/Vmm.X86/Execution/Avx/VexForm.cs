namespace Vmm.X86.Execution;

/// <summary>Which of an operation's handlers is wanted.</summary>
internal enum VexForm
{
    /// <summary>From Iced's decoded form: an entry of the <see cref="InstructionTable"/>.</summary>
    Table,

    /// <summary>Compact, second source in a register.</summary>
    Register,

    /// <summary>Compact, second source in memory: as <see cref="AddressForm"/> in its order from here.</summary>
    Base,

    /// <inheritdoc cref="AddressForm.Indexed"/>
    Indexed,

    /// <inheritdoc cref="AddressForm.Rip"/>
    Rip,

    /// <inheritdoc cref="AddressForm.Thread"/>
    Thread,

    /// <inheritdoc cref="AddressForm.Short"/>
    Short,

    /// <inheritdoc cref="AddressForm.Checked"/>
    Checked,
}
