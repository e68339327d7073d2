namespace Vmm;

/// <summary>Shorthands for clients of <see cref="ISecondLevelAddressTranslation"/>.</summary>
public static class SecondLevelAddressTranslationExtensions
{
    /// <summary>Maps a whole block of memory.</summary>
    /// <param name="addressSpace">The guest-physical address space.</param>
    /// <param name="address">Guest-physical address, page-aligned.</param>
    /// <param name="memory">The block.</param>
    /// <param name="access">Rights: at least one; write needs read; execute alone needs <see cref="Capability.ExecuteOnly"/>.</param>
    /// <exception cref="ArgumentException">
    /// Misaligned, overlapping, impossible rights, or beyond the address width (named in the message).
    /// </exception>
    public static void Map(this ISecondLevelAddressTranslation addressSpace, ulong address, GuestMemory memory, GuestAccess access = GuestAccess.All)
    {
        ArgumentNullException.ThrowIfNull(addressSpace);
        ArgumentNullException.ThrowIfNull(memory);
        addressSpace.Map(address, memory, 0, memory.Length, access);
    }
}
