namespace Vmm;

/// <summary>Values by access size.</summary>
internal static class BusAccess
{
    /// <summary>All ones of a size of 1 to 8 bytes: what a read that nobody answers gives, and the mask of valid bits.</summary>
    internal static ulong Ones(int size) => ulong.MaxValue >> (64 - (size << 3));
}
