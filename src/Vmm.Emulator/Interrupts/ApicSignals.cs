namespace Vmm.Emulator.Interrupts;

/// <summary>What a local APIC has for its processor besides vectors.</summary>
[Flags]
internal enum ApicSignals
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A non-maskable interrupt waits.</summary>
    NonMaskable = 1 << 0,

    /// <summary>INIT.</summary>
    Init = 1 << 1,

    /// <summary>A start-up interrupt; it came after INIT where both are there.</summary>
    Startup = 1 << 2,

    /// <summary>An ExtINT message: the processor shall ask the external interrupt controller for a vector.</summary>
    External = 1 << 3,
}
