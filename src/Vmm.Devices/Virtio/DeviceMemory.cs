using System.Runtime.InteropServices;

namespace Vmm.Devices;

/// <summary>
/// Guest memory as a device reaches it by itself: every address is the guest's word and may be anything. What is not memory, or not
/// writable for the guest itself, is refused by a result and never by an exception.
/// </summary>
/// <param name="memory">The partition's memory.</param>
/// <remarks>Members may be called from any thread.</remarks>
public sealed class DeviceMemory(ISecondLevelAddressTranslation memory)
{
    private const ulong PageSize = 4096;

    /// <summary>Copies memory out.</summary>
    /// <returns>False: some byte is no memory; part may have been copied.</returns>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            if (!TryGetPiece(address, destination.Length, false, out Span<byte> piece))
                return false;
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
            address += (ulong)piece.Length;
        }
        return true;
    }

    /// <summary>Copies into memory.</summary>
    /// <returns>False: some byte is no writable memory; part may have been copied.</returns>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            if (!TryGetPiece(address, source.Length, true, out Span<byte> piece))
                return false;
            source[..piece.Length].CopyTo(piece);
            NotifyWritten(address, piece.Length);
            source = source[piece.Length..];
            address += (ulong)piece.Length;
        }
        return true;
    }

    /// <summary>A window on the memory at an address: as much of a range as is one piece.</summary>
    /// <param name="address">Guest-physical address.</param>
    /// <param name="length">Bytes wanted, above 0.</param>
    /// <param name="write">It will be written; <see cref="NotifyWritten"/> must follow.</param>
    /// <param name="piece">From 1 to <paramref name="length"/> bytes.</param>
    /// <returns>False: there is no memory, or it may not be written.</returns>
    public bool TryGetPiece(ulong address, int length, bool write, out Span<byte> piece)
    {
        piece = default;
        if (length <= 0 || address > ulong.MaxValue - (ulong)length)
            return false;
        if (memory.TryGetSpan(address, length, write, out Span<byte> whole) && (!write || IsWritable(address, length)))
        {
            piece = whole;
            return true;
        }
        // Where regions meet: page by page.
        int inPage = (int)Math.Min((ulong)length, PageSize - (address & (PageSize - 1)));
        return (!write || IsWritable(address, inPage)) && memory.TryGetSpan(address, inPage, write, out piece);
    }

    /// <summary>Tells that memory was written through a window.</summary>
    public void NotifyWritten(ulong address, int length) => memory.NotifyWritten(address, (ulong)length);

    /// <summary>Whether a whole range is memory.</summary>
    public bool IsMemory(ulong address, int length, bool write)
    {
        while (length > 0)
        {
            if (!TryGetPiece(address, length, write, out Span<byte> piece))
                return false;
            address += (ulong)piece.Length;
            length -= piece.Length;
        }
        return true;
    }

    /// <summary>Reads 16 bits at an even address in one piece, as a processor's store made them; later reads stay later.</summary>
    internal bool TryLoad16(ulong address, out ushort value)
    {
        if (memory.TryGetSpan(address, 2, false, out Span<byte> piece))
        {
            ushort found = Volatile.Read(ref MemoryMarshal.Cast<byte, ushort>(piece)[0]);
            value = BitConverter.IsLittleEndian ? found : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(found);
            return true;
        }
        value = 0;
        return false;
    }

    /// <summary>Writes 16 bits at an even address in one piece; earlier writes stay earlier.</summary>
    internal bool TryStore16(ulong address, ushort value)
    {
        if (!IsWritable(address, 2) || !memory.TryGetSpan(address, 2, true, out Span<byte> piece))
            return false;
        ushort stored = BitConverter.IsLittleEndian ? value : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
        Volatile.Write(ref MemoryMarshal.Cast<byte, ushort>(piece)[0], stored);
        memory.NotifyWritten(address, 2);
        return true;
    }

    private bool IsWritable(ulong address, int length)
    {
        ulong last = address + (ulong)(length - 1);
        for (ulong page = address & ~(PageSize - 1); page <= last; page += PageSize)
        {
            if (memory.Translate(page, GuestAccess.Write).Status != TranslationStatus.Success)
                return false;
            if (page > ulong.MaxValue - PageSize)
                break;
        }
        return true;
    }
}
