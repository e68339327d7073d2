using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>Moves bytes between the firmware configuration device and addresses that the guest chose, which may be any.</summary>
internal sealed class FirmwareConfigurationCopier(ISecondLevelAddressTranslation memory)
{
    private const int PageSize = 4096;
    private const int CommandSize = 16;
    private const uint Error = 1;

    public bool TryReadCommand(ulong address, out FirmwareConfigurationCommand command)
    {
        Span<byte> bytes = stackalloc byte[CommandSize];
        command = default;
        for (int done = 0; done < CommandSize;)
        {
            if (!TryGetPiece(unchecked(address + (ulong)done), CommandSize - done, GuestAccess.Read, out Span<byte> piece))
                return false;
            piece.CopyTo(bytes[done..]);
            done += piece.Length;
        }
        command = new FirmwareConfigurationCommand(
            BinaryPrimitives.ReadUInt32BigEndian(bytes),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        return true;
    }

    /// <summary>Copies what there is, and zeros up to the length.</summary>
    /// <returns>False where there is no memory that the guest may write; what lies before may have been written.</returns>
    public bool TryCopy(ulong address, ReadOnlySpan<byte> content, uint length)
    {
        while (length > 0)
        {
            if (!TryGetPiece(address, (int)Math.Min(length, PageSize), GuestAccess.Write, out Span<byte> piece))
                return false;
            ReadOnlySpan<byte> part = content[..Math.Min(piece.Length, content.Length)];
            part.CopyTo(piece);
            piece[part.Length..].Clear();
            content = content[part.Length..];
            memory.NotifyWritten(address, (ulong)piece.Length);
            length -= (uint)piece.Length;
            address = unchecked(address + (ulong)piece.Length);
        }
        return true;
    }

    /// <summary>Says in the command's first word that it is done.</summary>
    public void Finish(ulong address, bool succeeded)
    {
        Span<byte> control = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(control, succeeded ? 0 : Error);
        TryCopy(address, control, 4);
    }

    // At most the rest of a page. RAM and ROM alike can be had as spans: what the guest may not write must not be.
    private bool TryGetPiece(ulong address, int length, GuestAccess access, out Span<byte> piece)
    {
        length = Math.Min(length, PageSize - (int)(address & (PageSize - 1)));
        piece = default;
        return memory.Translate(address, access).Status == TranslationStatus.Success
            && memory.TryGetSpan(address, length, access == GuestAccess.Write, out piece);
    }
}
