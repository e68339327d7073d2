namespace Vmm;

/// <summary>A partition's guest-physical address space.</summary>
/// <remarks>
/// Members may be called from any thread, also while processors run and from handlers. A change is visible to every processor before the
/// call returns; pages that a call does not name never miss an access and keep their dirty bits.
/// </remarks>
public interface ISecondLevelAddressTranslation
{
    /// <summary>Format of the nested page tables; null where the platform does not say.</summary>
    SlatFormat? Format { get; }

    /// <summary>Address width in bits.</summary>
    int AddressBits { get; }

    /// <summary>The mapped regions, by address, neighbours with equal rights and continuous memory merged.</summary>
    IReadOnlyList<MappedRegion> Regions { get; }

    /// <summary>Maps memory.</summary>
    /// <param name="address">Guest-physical address, page-aligned.</param>
    /// <param name="memory">The block.</param>
    /// <param name="offset">Offset into the block, page-aligned.</param>
    /// <param name="length">Bytes, page-aligned, above 0.</param>
    /// <param name="access">Rights: at least one; write needs read; execute alone needs <see cref="Capability.ExecuteOnly"/>.</param>
    /// <param name="replace">Take the place of what is mapped there; else an overlap is refused.</param>
    /// <exception cref="ArgumentException">
    /// Misaligned, overlapping, impossible rights, or beyond the address width (named in the message).
    /// </exception>
    void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false);

    /// <summary>Unmaps any range of pages, across and inside mappings; holes are allowed.</summary>
    void Unmap(ulong address, ulong length);

    /// <summary>Changes the rights of any range of pages, across and inside mappings.</summary>
    /// <exception cref="ArgumentException">A page of the range is not mapped.</exception>
    void Protect(ulong address, ulong length, GuestAccess access);

    /// <summary>Copies guest-physical memory out, whatever its rights.</summary>
    /// <exception cref="ArgumentException">The range touches a hole (named); nothing was copied.</exception>
    void Read(ulong address, Span<byte> destination);

    /// <summary>Copies into guest-physical memory, whatever its rights; sets dirty bits and drops decoded code.</summary>
    /// <exception cref="ArgumentException">The range touches a hole (named); nothing was copied.</exception>
    void Write(ulong address, ReadOnlySpan<byte> source);

    /// <summary>Atomic compare-exchange of 1, 2, 4 or 8 naturally aligned bytes.</summary>
    /// <returns>The value found; equal to <paramref name="expected"/> when the exchange was made.</returns>
    ulong CompareExchange(ulong address, int size, ulong expected, ulong replacement);

    /// <summary>A window on guest-physical memory, valid until the range is unmapped.</summary>
    /// <param name="address">Guest-physical address.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="write">The window will be written; <see cref="NotifyWritten"/> must follow.</param>
    /// <param name="span">The window.</param>
    /// <returns>False when the range is not one continuous piece of one block.</returns>
    bool TryGetSpan(ulong address, int length, bool write, out Span<byte> span);

    /// <summary>
    /// Tells that a range was written through a span: dirty bits and decoded code follow. Before it, staleness is allowed.
    /// </summary>
    void NotifyWritten(ulong address, ulong length);

    /// <summary>Translates a guest-physical address as the hardware would, without side effects.</summary>
    PhysicalTranslationResult Translate(ulong address, GuestAccess access);

    /// <summary>Starts or stops tracking writes to a range. Needs <see cref="Capability.DirtyTracking"/>.</summary>
    void TrackDirty(ulong address, ulong length, bool enable);

    /// <summary>Reads and clears the dirty bits of a tracked range.</summary>
    /// <param name="address">Page-aligned.</param>
    /// <param name="length">Page-aligned.</param>
    /// <param name="bitmap">One bit a page, lowest first; at least length / 4096 bits. Overwritten.</param>
    /// <returns>Number of dirty pages.</returns>
    ulong GetAndClearDirty(ulong address, ulong length, Span<ulong> bitmap);

    /// <summary>Reads the dirty bits of a tracked range and leaves them.</summary>
    ulong PeekDirty(ulong address, ulong length, Span<ulong> bitmap);

    /// <summary>Registers a doorbell. Needs <see cref="Capability.Doorbells"/>.</summary>
    /// <param name="doorbell">Where, and what must be written.</param>
    /// <param name="signal">Set at each ring.</param>
    /// <returns>Disposing it unregisters.</returns>
    IDisposable RegisterDoorbell(in Doorbell doorbell, EventWaitHandle signal);

    /// <summary>Counters of the nested tables; zero where the platform has none.</summary>
    SlatStatistics Statistics { get; }
}
