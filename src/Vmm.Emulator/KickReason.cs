namespace Vmm.Emulator;

/// <summary>Bits of the kick word: why a processor shall look up from guest code.</summary>
internal static class KickReason
{
    /// <summary>Leave guest code altogether.</summary>
    public const uint Exit = 1;

    /// <summary>An event may be deliverable.</summary>
    public const uint Event = 2;

    /// <summary>The APIC timer's time may have come.</summary>
    public const uint Timer = 4;
}
