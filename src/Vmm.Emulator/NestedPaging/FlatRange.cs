namespace Vmm.Emulator.NestedPaging;

/// <summary>Guest-physical addresses that are contiguous in host memory and have the same rights.</summary>
/// <param name="First">First address.</param>
/// <param name="End">The address after the last.</param>
/// <param name="HostOffset">Added to an address it gives the host address (modulo 2^64).</param>
/// <param name="Access">The rights.</param>
/// <param name="Logged">Under dirty logging.</param>
internal readonly record struct FlatRange(ulong First, ulong End, ulong HostOffset, GuestAccess Access, bool Logged)
{
    /// <summary>Whether a range that begins where this one ends continues it.</summary>
    public bool IsContinuedBy(in FlatRange next) =>
        End == next.First && HostOffset == next.HostOffset && Access == next.Access && Logged == next.Logged;
}
