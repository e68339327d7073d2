namespace Vmm.Emulator.NestedPaging;

/// <summary>A change to every page of a range.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Rights">Map and protect: the new rights.</param>
/// <param name="Logged">Map and log: under dirty logging.</param>
/// <param name="HostOffset">Map: added to a guest-physical address it gives the host address (modulo 2^64).</param>
internal readonly record struct NestedChange(NestedChangeKind Kind, GuestAccess Rights, bool Logged, ulong HostOffset);
