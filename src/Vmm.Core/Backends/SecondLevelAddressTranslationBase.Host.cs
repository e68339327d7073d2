using System.Runtime.CompilerServices;

namespace Vmm;

public abstract partial class SecondLevelAddressTranslationBase
{
    /// <inheritdoc/>
    public void Read(ulong address, Span<byte> destination)
    {
        _partition.ThrowIfDisposed();
        RegionMap map = CheckMapped(address, destination.Length);
        while (!destination.IsEmpty)
        {
            using HeldPiece piece = new(map, address, destination.Length);
            piece.Span.CopyTo(destination);
            destination = destination[piece.Span.Length..];
            address += (ulong)piece.Span.Length;
        }
    }

    /// <inheritdoc/>
    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        _partition.ThrowIfDisposed();
        RegionMap map = CheckMapped(address, source.Length);
        ulong at = address;
        for (ReadOnlySpan<byte> rest = source; !rest.IsEmpty;)
        {
            using HeldPiece piece = new(map, at, rest.Length);
            int length = piece.Span.Length;
            rest[..length].CopyTo(piece.Span);
            rest = rest[length..];
            at += (ulong)length;
        }
        if (!source.IsEmpty)
            NotifyWritten(address, (ulong)source.Length);
    }

    /// <inheritdoc/>
    public ulong CompareExchange(ulong address, int size, ulong expected, ulong replacement)
    {
        _partition.ThrowIfDisposed();
        if (size is not (1 or 2 or 4 or 8))
            throw new ArgumentOutOfRangeException(nameof(size), size, "The size is 1, 2, 4 or 8 bytes.");
        if ((address & (ulong)(size - 1)) != 0)
            throw new ArgumentException($"Address 0x{address:X} is not aligned to {size} bytes.", nameof(address));
        using HeldPiece piece = new(CheckMapped(address, size), address, size);
        ref byte first = ref piece.Span[0];
        ulong found = size switch
        {
            1 => Interlocked.CompareExchange(ref first, (byte)replacement, (byte)expected),
            2 => Interlocked.CompareExchange(ref Unsafe.As<byte, ushort>(ref first), (ushort)replacement, (ushort)expected),
            4 => Interlocked.CompareExchange(ref Unsafe.As<byte, uint>(ref first), (uint)replacement, (uint)expected),
            _ => Interlocked.CompareExchange(ref Unsafe.As<byte, ulong>(ref first), replacement, expected),
        };
        ulong mask = size == 8 ? ulong.MaxValue : (1UL << (8 * size)) - 1;
        if (found == (expected & mask))
            NotifyWritten(address, (ulong)size);
        return found;
    }

    /// <inheritdoc/>
    public bool TryGetSpan(ulong address, int length, bool write, out Span<byte> span)
    {
        _partition.ThrowIfDisposed();
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        span = default;
        if (_map.Find(address) is not { } region || (ulong)length > region.Length - (address - region.Address))
            return false;
        span = region.Memory.GetSpan(region.Offset + (address - region.Address), length);
        return true;
    }

    /// <inheritdoc/>
    public void NotifyWritten(ulong address, ulong length)
    {
        _partition.ThrowIfDisposed();
        if (length == 0)
            return;
        MarkDirty(address, length);
        OnHostWrite(address, length);
    }

    /// <summary>The host wrote guest memory: decoded code must go. The default suits platforms that execute memory directly.</summary>
    protected virtual void OnHostWrite(ulong address, ulong length)
    {
    }

    private RegionMap CheckMapped(ulong address, int length)
    {
        RegionMap map = _map;
        if (length != 0)
        {
            if (address + ((ulong)length - 1) < address)
                throw new ArgumentException($"0x{address:X} + 0x{length:X} wraps around the end of the address space.", nameof(address));
            if (map.FirstHole(address, (ulong)length) is { } hole)
                throw new ArgumentException($"Guest-physical address 0x{hole:X} is not mapped.", nameof(address));
        }
        return map;
    }

    /// <summary>A piece of one block, kept alive against an unmapping by another thread for as long as it is used.</summary>
    private readonly ref struct HeldPiece : IDisposable
    {
        private readonly GuestMemory _memory;
        private readonly bool _held;

        public HeldPiece(RegionMap map, ulong address, int length)
        {
            MappedRegion region = map.Find(address)!.Value;
            ulong inside = address - region.Address;
            _memory = region.Memory;
            _memory.DangerousAddRef(ref _held);
            Span = _memory.GetSpan(region.Offset + inside, (int)Math.Min((ulong)length, region.Length - inside));
        }

        public Span<byte> Span { get; }

        public void Dispose()
        {
            if (_held)
                _memory.DangerousRelease();
        }
    }
}
