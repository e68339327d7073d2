using System.Runtime.InteropServices;

namespace Vmm;

/// <summary>How guest memory is allocated.</summary>
[Flags]
public enum GuestMemoryOptions
{
    /// <summary>Ordinary pages, committed as they are touched where the host can.</summary>
    None = 0,

    /// <summary>Large host pages where the host has them: a wish, not an error.</summary>
    PreferLargePages = 1,
}

/// <summary>
/// A block of native memory that can be mapped into partitions: page-aligned, never moved by the garbage collector, alive while it is
/// mapped even if its owner disposes it.
/// </summary>
/// <remarks>
/// Reads and writes here go to the memory itself, at offsets into the block, and are not seen by dirty tracking or decoded-code
/// invalidation: to write while a guest runs use <see cref="ISecondLevelAddressTranslation.Write"/>, or tell
/// <see cref="ISecondLevelAddressTranslation.NotifyWritten"/>. May be used from any thread; there is no ordering beyond the processor's
/// own.
/// </remarks>
public abstract class GuestMemory : SafeHandle
{
    /// <summary>Makes an invalid handle for a block of a given length.</summary>
    protected GuestMemory(ulong length)
        : base(0, true) => Length = length;

    /// <summary>Length in bytes; a multiple of 4096.</summary>
    public ulong Length { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Copies out of the block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the block.</exception>
    public void Read(ulong offset, Span<byte> destination) => GetSpan(offset, destination.Length).CopyTo(destination);

    /// <summary>Copies into the block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the block.</exception>
    public void Write(ulong offset, ReadOnlySpan<byte> source) => source.CopyTo(GetSpan(offset, source.Length));

    /// <summary>A window on the block; must not be used after the block is released.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the block.</exception>
    /// <exception cref="ObjectDisposedException">The block is disposed.</exception>
    public unsafe Span<byte> GetSpan(ulong offset, int length)
    {
        ObjectDisposedException.ThrowIf(IsClosed || IsInvalid, this);
        if (length < 0 || offset > Length || (ulong)length > Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"0x{offset:X} + 0x{length:X} leaves the block of 0x{Length:X} bytes.");
        // SAFETY: the range was checked against the length the block was allocated with, and the handle is open.
        return new Span<byte>((byte*)handle + offset, length);
    }
}
