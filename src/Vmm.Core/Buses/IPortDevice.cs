namespace Vmm;

/// <summary>A device that answers I/O ports.</summary>
/// <remarks>Called on the thread that runs the processor that made the access; several processors may call at once.</remarks>
public interface IPortDevice
{
    /// <summary>A guest read.</summary>
    /// <param name="port">Port number, absolute.</param>
    /// <param name="size">Bytes: 1, 2 or 4.</param>
    /// <returns>The value; bits above the size are ignored.</returns>
    uint Read(ushort port, int size);

    /// <summary>A guest write.</summary>
    /// <param name="port">Port number, absolute.</param>
    /// <param name="size">Bytes: 1, 2 or 4.</param>
    /// <param name="value">The value; bits above the size are zero.</param>
    void Write(ushort port, int size, uint value);
}
