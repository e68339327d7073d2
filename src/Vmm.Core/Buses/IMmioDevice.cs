namespace Vmm;

/// <summary>A device that answers guest-physical addresses.</summary>
/// <remarks>Called on the thread that runs the processor that made the access; several processors may call at once.</remarks>
public interface IMmioDevice
{
    /// <summary>A guest read.</summary>
    /// <param name="offset">Offset from the start of the device's range.</param>
    /// <param name="size">Bytes, 1 to 8; below a power of two only where the access was split at a page or at the end of the range.</param>
    /// <returns>The value, first byte lowest; bits above the size are ignored.</returns>
    ulong Read(ulong offset, int size);

    /// <summary>A guest write.</summary>
    /// <param name="offset">Offset from the start of the device's range.</param>
    /// <param name="size">Bytes, 1 to 8; below a power of two only where the access was split at a page or at the end of the range.</param>
    /// <param name="value">The value, first byte lowest; bits above the size are zero.</param>
    void Write(ulong offset, int size, ulong value);
}
