namespace Vmm.Emulator.Interrupts;

/// <summary>Bits of the error status register (SDM Vol. 3A 11.5.3).</summary>
[Flags]
internal enum ApicErrors : uint
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>A message to be sent had a vector below 16.</summary>
    SendIllegalVector = 1 << 5,

    /// <summary>A message received, or a local interrupt, had a vector below 16.</summary>
    ReceiveIllegalVector = 1 << 6,

    /// <summary>A register that is not there was accessed, in xAPIC mode.</summary>
    IllegalRegisterAddress = 1 << 7,
}
