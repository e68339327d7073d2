namespace Vmm.Testing;

/// <summary>An address space in front of another one, forwarding everything.</summary>
/// <param name="partition">The decorated partition.</param>
/// <param name="inner">The address space behind.</param>
public class DecoratedMemory(DecoratedPartition partition, ISecondLevelAddressTranslation inner) : ISecondLevelAddressTranslation
{
    /// <summary>The address space behind.</summary>
    public ISecondLevelAddressTranslation Inner { get; } = inner ?? throw new ArgumentNullException(nameof(inner));

    /// <summary>The decorated partition.</summary>
    public DecoratedPartition Partition { get; } = partition ?? throw new ArgumentNullException(nameof(partition));

    /// <inheritdoc/>
    public virtual SlatFormat? Format => Inner.Format;

    /// <inheritdoc/>
    public virtual int AddressBits => Inner.AddressBits;

    /// <inheritdoc/>
    public virtual IReadOnlyList<MappedRegion> Regions => Inner.Regions;

    /// <inheritdoc/>
    public virtual SlatStatistics Statistics => Inner.Statistics;

    /// <inheritdoc/>
    public virtual void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false) =>
        Inner.Map(address, memory, offset, length, access, replace);

    /// <inheritdoc/>
    public virtual void Unmap(ulong address, ulong length) => Inner.Unmap(address, length);

    /// <inheritdoc/>
    public virtual void Protect(ulong address, ulong length, GuestAccess access) => Inner.Protect(address, length, access);

    /// <inheritdoc/>
    public virtual void Read(ulong address, Span<byte> destination) => Inner.Read(address, destination);

    /// <inheritdoc/>
    public virtual void Write(ulong address, ReadOnlySpan<byte> source) => Inner.Write(address, source);

    /// <inheritdoc/>
    public virtual ulong CompareExchange(ulong address, int size, ulong expected, ulong replacement) =>
        Inner.CompareExchange(address, size, expected, replacement);

    /// <inheritdoc/>
    public virtual bool TryGetSpan(ulong address, int length, bool write, out Span<byte> span) => Inner.TryGetSpan(address, length, write, out span);

    /// <inheritdoc/>
    public virtual void NotifyWritten(ulong address, ulong length) => Inner.NotifyWritten(address, length);

    /// <inheritdoc/>
    public virtual PhysicalTranslationResult Translate(ulong address, GuestAccess access) => Inner.Translate(address, access);

    /// <inheritdoc/>
    public virtual void TrackDirty(ulong address, ulong length, bool enable) => Inner.TrackDirty(address, length, enable);

    /// <inheritdoc/>
    public virtual ulong GetAndClearDirty(ulong address, ulong length, Span<ulong> bitmap) => Inner.GetAndClearDirty(address, length, bitmap);

    /// <inheritdoc/>
    public virtual ulong PeekDirty(ulong address, ulong length, Span<ulong> bitmap) => Inner.PeekDirty(address, length, bitmap);

    /// <inheritdoc/>
    public virtual IDisposable RegisterDoorbell(in Doorbell doorbell, EventWaitHandle signal) => Inner.RegisterDoorbell(in doorbell, signal);
}
