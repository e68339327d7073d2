using System.Buffers.Binary;
using System.Text;

namespace Vmm.Devices;

/// <summary>
/// A virtio disk over a file (Virtual I/O Device 1.2, 5.2): read, write, flush, write zeroes and identify. A flush returns when the data is
/// on the host's medium; a driver that knows no flush, or has switched the cache off, gets that after each write. A request moves at most
/// 256 MiB.
/// </summary>
public sealed class VirtioBlock : VirtioDevice
{
    private const int SegmentMaximum = 2;
    private const int ReadOnly = 5;
    private const int BlockSize = 6;
    private const int FlushCommand = 9;
    private const int ConfigurableCache = 11;
    private const int WriteZeroes = 14;

    private const ushort QueueSize = 256;
    private const uint MostSegments = QueueSize - 2;
    private const int HeaderSize = 16;
    private const int CacheOffset = 32;
    private const ulong LongestTransfer = 256 << 20;
    private const uint MostZeroSectors = 0x8000;
    private const int IdentitySize = 20;
    private const int FlushCost = 1 << 20;
    private const int RequestCost = 1 << 14;

    private readonly DiskImage _disk;
    private readonly byte[] _configuration = new byte[60];
    private readonly byte[] _identity = new byte[IdentitySize];

    /// <summary>Makes a disk.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="disk">The file; it stays the caller's.</param>
    /// <param name="identity">What the disk says when asked who it is: up to 20 ASCII characters.</param>
    public VirtioBlock(DeviceMemory memory, IMachineClock clock, DiskImage disk, string identity = "")
        : base(VirtioDeviceKind.Block, memory, clock, QueueSize)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(identity);
        if (identity.Length > IdentitySize || !Ascii.IsValid(identity))
            throw new ArgumentException($"A disk's identity has at most {IdentitySize} ASCII characters.", nameof(identity));
        _disk = disk;
        Encoding.ASCII.GetBytes(identity, _identity);
        BinaryPrimitives.WriteUInt64LittleEndian(_configuration, Sectors);
        BinaryPrimitives.WriteUInt32LittleEndian(_configuration.AsSpan(12), MostSegments);
        BinaryPrimitives.WriteUInt32LittleEndian(_configuration.AsSpan(20), DiskImage.SectorSize);
        BinaryPrimitives.WriteUInt16LittleEndian(_configuration.AsSpan(34), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(_configuration.AsSpan(48), MostZeroSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(_configuration.AsSpan(52), 1);
        OnReset();
    }

    private enum Operation : uint
    {
        In = 0,
        Out = 1,
        Flush = 4,
        GetId = 8,
        WriteZeroes = 13,
    }

    private enum Result : byte
    {
        Ok = 0,
        InputOutputError = 1,
        Unsupported = 2,
    }

    internal override ReadOnlySpan<byte> Configuration => _configuration;

    private protected override ulong KindFeatures
    {
        get
        {
            ulong features = 1ul << SegmentMaximum | 1ul << BlockSize | 1ul << FlushCommand | 1ul << ConfigurableCache;
            return _disk.IsReadOnly ? features | 1ul << ReadOnly : features | 1ul << WriteZeroes;
        }
    }

    private ulong Sectors => (ulong)_disk.Length / DiskImage.SectorSize;

    private bool IsWriteThrough => !HasFeature(FlushCommand) || (HasFeature(ConfigurableCache) && _configuration[CacheOffset] == 0);

    private protected override int ServeNext(int queue)
    {
        if (Take(queue) is not { } request)
            return 0;
        Span<byte> header = stackalloc byte[HeaderSize];
        if (request.ReadableLength < HeaderSize || request.WritableLength == 0 || !request.TryRead(0, header))
        {
            Break("a disk request has no header or no place for its result");
            return 0;
        }
        Operation operation = (Operation)BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        ulong room = request.WritableLength - 1;
        ulong filled = 0;
        Result result;
        try
        {
            result = operation switch
            {
                Operation.In => Read(request, sector, room, out filled),
                Operation.Out => Write(request, sector),
                Operation.Flush => Flush(),
                Operation.GetId => Identify(request, room, out filled),
                Operation.WriteZeroes => Clear(request),
                _ => Result.Unsupported,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            result = Result.InputOutputError;
        }
        if (!request.TryWrite(room, [(byte)result]))
        {
            Break("the place for a disk request's result is no memory");
            return 0;
        }
        // What was written counts from the start of the buffer: the result lies behind data that may be missing.
        Complete(queue, (uint)Math.Min(result == Result.Ok ? filled + 1 : 0, uint.MaxValue));
        ulong moved = operation == Operation.Out ? request.ReadableLength : filled;
        return operation is Operation.Flush or Operation.WriteZeroes ? FlushCost : RequestCost + (int)Math.Min(moved, 1 << 30);
    }

    private protected override void OnConfigurationWritten(int offset, int size, uint value)
    {
        if (offset != CacheOffset || size != 1 || !HasFeature(ConfigurableCache))
            return;
        _configuration[CacheOffset] = (byte)(value & 1);
        if (value != 0)
            return;
        try
        {
            Flush();
        }
        catch (IOException)
        {
            // The driver learns of it with its next write, which is flushed too.
        }
    }

    private protected override void OnReset() => _configuration[CacheOffset] = 1;

    private protected override void ExchangeKindState(DeviceStateExchange state)
    {
        state.Require("length", (ulong)_disk.Length);
        state.Require("read-only", _disk.IsReadOnly ? 1ul : 0);
        state.Value("cache", ref _configuration[CacheOffset], 1);
    }

    private bool IsInside(ulong sector, ulong length) =>
        length <= LongestTransfer && length % DiskImage.SectorSize == 0
        && sector <= Sectors && length / DiskImage.SectorSize <= Sectors - sector;

    private Result Read(VirtioRequest request, ulong sector, ulong length, out ulong filled)
    {
        filled = 0;
        if (!IsInside(sector, length))
            return Result.InputOutputError;
        long offset = (long)sector * DiskImage.SectorSize;
        VirtioCursor cursor = request.Cursor(true, 0, length);
        while (cursor.TryNext(out Span<byte> piece))
        {
            _disk.Read(offset, piece);
            cursor.NotifyWritten();
            offset += piece.Length;
        }
        filled = length - cursor.Left;
        return cursor.Left == 0 ? Result.Ok : Result.InputOutputError;
    }

    private Result Write(VirtioRequest request, ulong sector)
    {
        ulong length = request.ReadableLength - HeaderSize;
        if (_disk.IsReadOnly || !IsInside(sector, length))
            return Result.InputOutputError;
        long offset = (long)sector * DiskImage.SectorSize;
        VirtioCursor cursor = request.Cursor(false, HeaderSize, length);
        while (cursor.TryNext(out Span<byte> piece))
        {
            _disk.Write(offset, piece);
            offset += piece.Length;
        }
        if (cursor.Left != 0)
            return Result.InputOutputError;
        return IsWriteThrough ? Flush() : Result.Ok;
    }

    private Result Flush()
    {
        if (!_disk.IsReadOnly)
            _disk.Flush();
        return Result.Ok;
    }

    private Result Identify(VirtioRequest request, ulong room, out ulong filled)
    {
        filled = Math.Min(room, IdentitySize);
        return request.TryWrite(0, _identity.AsSpan(0, (int)filled)) ? Result.Ok : Result.InputOutputError;
    }

    // One segment of 16 bytes: sector, number of sectors, flags (5.2.6).
    private Result Clear(VirtioRequest request)
    {
        Span<byte> segment = stackalloc byte[16];
        if (!HasFeature(WriteZeroes))
            return Result.Unsupported;
        if (request.ReadableLength != HeaderSize + 16 || !request.TryRead(HeaderSize, segment))
            return Result.InputOutputError;
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(segment);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(segment[8..]);
        // Only the unmap flag is known, and it need not be followed.
        if ((BinaryPrimitives.ReadUInt32LittleEndian(segment[12..]) & ~1u) != 0)
            return Result.Unsupported;
        if (count > MostZeroSectors || !IsInside(sector, (ulong)count * DiskImage.SectorSize))
            return Result.InputOutputError;
        ReadOnlySpan<byte> zeroes = new byte[Math.Min((int)count * DiskImage.SectorSize, 64 << 10)];
        long offset = (long)sector * DiskImage.SectorSize;
        for (long left = (long)count * DiskImage.SectorSize; left > 0; left -= zeroes.Length, offset += zeroes.Length)
            _disk.Write(offset, zeroes[..(int)Math.Min(left, zeroes.Length)]);
        return IsWriteThrough ? Flush() : Result.Ok;
    }
}
