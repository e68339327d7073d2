namespace Vmm;

/// <summary>A mapped range of guest-physical addresses.</summary>
/// <param name="Address">First guest-physical address.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Memory">The block.</param>
/// <param name="Offset">Offset of the first byte in the block.</param>
/// <param name="Access">Rights.</param>
public readonly record struct MappedRegion(ulong Address, ulong Length, GuestMemory Memory, ulong Offset, GuestAccess Access);

/// <summary>A doorbell: a store that signals instead of exiting.</summary>
/// <param name="Address">Guest-physical address, not mapped.</param>
/// <param name="Size">Access size in bytes, 1, 2, 4 or 8; 0 for any.</param>
/// <param name="Value">The value that must be stored; null for any.</param>
public readonly record struct Doorbell(ulong Address, int Size, ulong? Value);
