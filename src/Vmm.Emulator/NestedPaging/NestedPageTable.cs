namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// The second level of address translation of one partition: from guest-physical to host addresses, in 4 KiB, 2 MiB and 1 GiB pages with
/// rights and accessed and dirty flags.
/// </summary>
/// <remarks>
/// <para>
/// Walks take no lock and may run on any number of threads, also while another thread changes the table: every entry is published by one
/// eight-byte store, and a table that went out of use stays readable until <see cref="Reclaim"/>. A walk that overlaps a change sees the
/// state before or after it. Pages that a change does not name translate throughout.
/// </para>
/// <para>
/// Changes exclude each other by a lock. After one that returns true, cached translations are stale: the caller makes every processor
/// drop its own before it relies on the change, frees memory or calls <see cref="Reclaim"/>. When a change merges or replaces pages while
/// processors run, a flag set at that moment in the entries it replaces may be lost; pages under dirty logging are never merged, so their
/// dirty flags are exact. <see cref="Dispose"/> comes after the last walk.
/// </para>
/// </remarks>
internal abstract class NestedPageTable : IDisposable
{
    /// <summary>Size of the smallest page.</summary>
    public const int PageSize = 4096;

    /// <summary>Bits of guest-physical address that can be mapped.</summary>
    public const int AddressWidth = NestedEntry.AddressWidth;

    private readonly Lock _writer = new();
    private bool _disposed;

    /// <summary>The format's name: ept, npt or none.</summary>
    public abstract string Name { get; }

    /// <summary>A copy of the table's statistics.</summary>
    public NestedTableStatistics Statistics
    {
        get
        {
            lock (_writer)
                return StatisticsCore;
        }
    }

    protected abstract NestedTableStatistics StatisticsCore { get; }

    /// <summary>Translates an address for an access; sets accessed and dirty flags when it is granted.</summary>
    /// <param name="address">Any guest-physical address.</param>
    /// <param name="access">The rights the access needs; one of read, write or execute.</param>
    /// <param name="guestWalk">
    /// The access reads a paging structure of the guest: it needs read and write, and dirties the page (SDM Vol. 3C 29.3.3.2;
    /// APM Vol. 2 15.25.5).
    /// </param>
    /// <param name="counters">The calling processor's counters.</param>
    /// <param name="result">What was found.</param>
    /// <returns>True when the access is granted.</returns>
    public abstract bool Walk(
        ulong address, GuestAccess access, bool guestWalk, ref NestedWalkCounters counters, out NestedWalkResult result);

    /// <summary>Says what <see cref="Walk"/> would say, and changes and counts nothing.</summary>
    /// <param name="address">Any guest-physical address.</param>
    /// <param name="access">The rights the access needs.</param>
    /// <param name="result">What was found; the dirty flag as it stands.</param>
    /// <returns>True when the access would be granted.</returns>
    public abstract bool Probe(ulong address, GuestAccess access, out NestedWalkResult result);

    /// <summary><see cref="Probe"/> for callers that nothing keeps from running while a change is made and tables are reclaimed.</summary>
    /// <inheritdoc cref="Probe"/>
    public bool Inspect(ulong address, GuestAccess access, out NestedWalkResult result)
    {
        lock (_writer)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Probe(address, access, out result);
        }
    }

    /// <summary>Maps a range to host memory, replacing whatever was mapped there (and its flags).</summary>
    /// <param name="address">First guest-physical address; page-aligned.</param>
    /// <param name="hostAddress">Host address of the first byte; page-aligned. The memory outlives the mapping and every cached
    /// translation.</param>
    /// <param name="length">Length in bytes; a multiple of the page size.</param>
    /// <param name="rights">What every access may do.</param>
    /// <param name="logDirty">Keep the range in 4 KiB pages, so that dirty flags are precise.</param>
    /// <returns>True when an existing translation changed.</returns>
    /// <exception cref="ArgumentException">An argument is not aligned, or write is asked for without read.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range ends beyond the address width, or the host address beyond its
    /// own.</exception>
    /// <exception cref="NotSupportedException">The format cannot express the rights (execute without read).</exception>
    /// <exception cref="InsufficientMemoryException">The table pages would exceed their bound; nothing has changed.</exception>
    public bool Map(ulong address, nuint hostAddress, ulong length, GuestAccess rights, bool logDirty = false)
    {
        CheckRange(address, length);
        CheckRights(rights);
        if (hostAddress % PageSize != 0)
            throw new ArgumentException($"Host address 0x{hostAddress:X} is not a multiple of {PageSize}.", nameof(hostAddress));
        if (length > NestedEntry.AddressMask || hostAddress > NestedEntry.AddressMask - length)
            throw new ArgumentOutOfRangeException(nameof(hostAddress), $"Host range at 0x{hostAddress:X} ends beyond 48 bits.");
        return Change(address, new NestedChange(NestedChangeKind.Map, rights, logDirty, hostAddress - address), length);
    }

    /// <summary>Removes whatever is mapped in a range.</summary>
    /// <param name="address">First guest-physical address; page-aligned.</param>
    /// <param name="length">Length in bytes; a multiple of the page size.</param>
    /// <returns>True when a translation went away.</returns>
    /// <exception cref="ArgumentException">An argument is not aligned.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range ends beyond the address width.</exception>
    /// <exception cref="InsufficientMemoryException">Splitting a large page would exceed the bound; nothing has changed.</exception>
    public bool Unmap(ulong address, ulong length)
    {
        CheckRange(address, length);
        return Change(address, new NestedChange(NestedChangeKind.Unmap, GuestAccess.None, false, 0), length);
    }

    /// <summary>Changes the rights of every page mapped in a range; holes stay holes, flags stay as they are.</summary>
    /// <param name="address">First guest-physical address; page-aligned.</param>
    /// <param name="length">Length in bytes; a multiple of the page size.</param>
    /// <param name="rights">What every access may do from now on; none refuses all of them and keeps the pages.</param>
    /// <returns>True when a translation changed.</returns>
    /// <exception cref="ArgumentException">An argument is not aligned, or write is asked for without read.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range ends beyond the address width.</exception>
    /// <exception cref="NotSupportedException">The format cannot express the rights (execute without read).</exception>
    /// <exception cref="InsufficientMemoryException">Splitting a large page would exceed the bound; nothing has changed.</exception>
    public bool Protect(ulong address, ulong length, GuestAccess rights)
    {
        CheckRange(address, length);
        CheckRights(rights);
        return Change(address, new NestedChange(NestedChangeKind.Protect, rights, false, 0), length);
    }

    /// <summary>
    /// Turns dirty logging on or off for the pages mapped in a range: on splits large pages and clears the dirty flags of pages that were
    /// not logged, off lets the pages merge again.
    /// </summary>
    /// <param name="address">First guest-physical address; page-aligned.</param>
    /// <param name="length">Length in bytes; a multiple of the page size.</param>
    /// <param name="enabled">On or off.</param>
    /// <returns>True when a translation changed.</returns>
    /// <exception cref="ArgumentException">An argument is not aligned.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range ends beyond the address width.</exception>
    /// <exception cref="InsufficientMemoryException">Splitting large pages would exceed the bound; nothing has changed.</exception>
    public bool SetDirtyLogging(ulong address, ulong length, bool enabled)
    {
        CheckRange(address, length);
        return Change(address, new NestedChange(NestedChangeKind.Log, GuestAccess.None, enabled, 0), length);
    }

    /// <summary>Collects the dirty flags of a range; a dirty large page counts as all of its small pages.</summary>
    /// <param name="address">First guest-physical address; page-aligned.</param>
    /// <param name="length">Length in bytes; a multiple of the page size.</param>
    /// <param name="bitmap">One bit for each 4 KiB page, bit 0 of the first word first; bits of dirty pages are set, others left
    /// alone.</param>
    /// <param name="clear">Clear the flags that were collected.</param>
    /// <returns>True when a flag was cleared: until cached translations are dropped, writes through them are not noticed.</returns>
    /// <exception cref="ArgumentException">An argument is not aligned, or the bitmap is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range ends beyond the address width.</exception>
    /// <exception cref="InsufficientMemoryException">Splitting a large page would exceed the bound; nothing has changed.</exception>
    public bool HarvestDirty(ulong address, ulong length, Span<ulong> bitmap, bool clear)
    {
        CheckRange(address, length);
        if ((ulong)bitmap.Length * 64 < length / PageSize)
            throw new ArgumentException($"{length / PageSize} pages need more than {bitmap.Length} words.", nameof(bitmap));
        lock (_writer)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return HarvestDirtyCore(address, length, bitmap, clear);
        }
    }

    /// <summary>Sets the dirty flags of the pages mapped in a range, as if a processor had written there.</summary>
    /// <param name="address">First guest-physical address.</param>
    /// <param name="length">Length in bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range ends beyond the address width.</exception>
    public void MarkDirty(ulong address, ulong length)
    {
        CheckWidth(address, length);
        if (length == 0)
            return;
        ulong first = address & ~(ulong)(PageSize - 1);
        ulong end = (address + length + PageSize - 1) & ~(ulong)(PageSize - 1);
        lock (_writer)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            MarkDirtyCore(first, end - first);
        }
    }

    /// <summary>
    /// Frees tables that went out of use. To be called when every walk that began before the last change has ended, so when every processor
    /// has since dropped its cached translations.
    /// </summary>
    /// <returns>How many table pages were freed.</returns>
    public int Reclaim()
    {
        lock (_writer)
            return _disposed ? 0 : ReclaimCore();
    }

    /// <summary>Frees the tables. No walk may be running and none may follow.</summary>
    public void Dispose()
    {
        lock (_writer)
        {
            if (_disposed)
                return;
            _disposed = true;
            DisposeCore();
        }
    }

    /// <summary>Makes a change to a checked range, under the writer lock.</summary>
    protected abstract bool ChangeCore(ulong address, ulong length, in NestedChange change);

    protected abstract bool HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap, bool clear);

    protected abstract void MarkDirtyCore(ulong address, ulong length);

    protected abstract int ReclaimCore();

    protected abstract void DisposeCore();

    protected abstract bool CanExpress(GuestAccess rights);

    private bool Change(ulong address, in NestedChange change, ulong length)
    {
        if (length == 0)
            return false;
        lock (_writer)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return ChangeCore(address, length, change);
        }
    }

    private void CheckRights(GuestAccess rights)
    {
        if ((rights & ~GuestAccess.All) != 0)
            throw new ArgumentOutOfRangeException(nameof(rights), rights, "Unknown rights.");
        if ((rights & (GuestAccess.Read | GuestAccess.Write)) == GuestAccess.Write)
            throw new ArgumentException("Memory that can be written can also be read: no format has write alone.", nameof(rights));
        if (!CanExpress(rights))
            throw new NotSupportedException($"The {Name} format has no execute-only pages here.");
    }

    private static void CheckRange(ulong address, ulong length)
    {
        if (address % PageSize != 0)
            throw new ArgumentException($"Guest-physical address 0x{address:X} is not a multiple of {PageSize}.", nameof(address));
        if (length % PageSize != 0)
            throw new ArgumentException($"Length 0x{length:X} is not a multiple of {PageSize}.", nameof(length));
        CheckWidth(address, length);
    }

    private static void CheckWidth(ulong address, ulong length)
    {
        const ulong Limit = 1UL << AddressWidth;
        if (address > Limit || length > Limit - address)
        {
            throw new ArgumentOutOfRangeException(
                nameof(address), $"0x{length:X} bytes at 0x{address:X} end beyond {AddressWidth} address bits.");
        }
    }
}
