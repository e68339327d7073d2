namespace Vmm.Emulator.Interrupts;

/// <summary>Destination shorthand: bits 19:18 of the ICR (SDM Vol. 3A 11.6.1).</summary>
internal enum ApicShorthand : byte
{
    /// <summary>The destination field counts.</summary>
    None = 0,

    /// <summary>The sender alone.</summary>
    Self = 1,

    /// <summary>Every processor.</summary>
    AllIncludingSelf = 2,

    /// <summary>Every processor but the sender.</summary>
    AllExcludingSelf = 3,
}
