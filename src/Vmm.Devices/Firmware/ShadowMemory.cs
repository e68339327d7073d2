using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>
/// Decides for each part of 0xC0000-0xFFFFF whether reads and writes go to RAM or to ROM, as the programmable attribute map of a host
/// bridge says (Intel 440FX, 3.2.18). After reset all goes to ROM.
/// </summary>
/// <remarks>
/// Members may be called from any thread, also while processors run. Where reads go to ROM and writes to RAM, the loop that runs a
/// processor must ask <see cref="OnViolatingWrite"/>.
/// </remarks>
public sealed class ShadowMemory
{
    /// <summary>Number of segments: 0 is 0xF0000-0xFFFFF, the others have 16 KiB each, from 0xC0000 up.</summary>
    public const int SegmentCount = 13;

    private const ulong Start = 0xC_0000;
    private const ulong End = 0x10_0000;
    private const ulong HighSegment = 0xF_0000;
    private const ulong SegmentLength = 0x4000;
    private const ulong LongestRom = 0x2_0000;

    private readonly Lock _gate = new();
    private readonly ISecondLevelAddressTranslation _space;
    private readonly GuestMemory _ram;
    private readonly GuestMemory _rom;
    private readonly ulong _romStart;
    private readonly GuestAccess[] _toRam = new GuestAccess[SegmentCount];

    /// <summary>Maps the range as after reset.</summary>
    /// <param name="space">The partition's memory; RAM is mapped in the range.</param>
    /// <param name="ram">RAM, whose offsets are guest-physical addresses up to 1 MiB.</param>
    /// <param name="rom">The ROM, a multiple of 4 KiB: its last 128 KiB, or all if it is smaller, end at 1 MiB.</param>
    public ShadowMemory(ISecondLevelAddressTranslation space, GuestMemory ram, GuestMemory rom)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(ram);
        ArgumentNullException.ThrowIfNull(rom);
        ArgumentOutOfRangeException.ThrowIfLessThan(ram.Length, End, nameof(ram));
        _space = space;
        _ram = ram;
        _rom = rom;
        _romStart = End - Math.Min(rom.Length, LongestRom);
        for (int segment = 0; segment < SegmentCount; segment++)
            Apply(segment, GuestAccess.None);
    }

    /// <summary>Says what goes to RAM in a segment; the rest goes to ROM.</summary>
    /// <param name="segment">0 to <see cref="SegmentCount"/> - 1.</param>
    /// <param name="toRam"><see cref="GuestAccess.Read"/> for reads and fetches, <see cref="GuestAccess.Write"/> for writes.</param>
    public void Set(int segment, GuestAccess toRam)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segment, SegmentCount);
        lock (_gate)
        {
            if (_toRam[segment] != (toRam & GuestAccess.ReadWrite))
                Apply(segment, toRam & GuestAccess.ReadWrite);
        }
    }

    /// <summary>Puts a write into RAM where reads go to ROM and writes to RAM; any other write to read-only memory is dropped.</summary>
    /// <param name="processor">Who writes.</param>
    /// <param name="violation">What and where.</param>
    public WriteResolution OnViolatingWrite(IVirtualProcessor processor, in SlatViolationExit violation)
    {
        // A write never passes the end of a page here, so it lies in one segment.
        if (violation.Address is < Start or >= End || violation.Size is 0 or > 8)
            return WriteResolution.Discard;
        lock (_gate)
        {
            if (_toRam[SegmentOf(violation.Address)] != GuestAccess.Write)
                return WriteResolution.Discard;
            Span<byte> data = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(data, violation.Value);
            _ram.Write(violation.Address, data[..(int)Math.Min(violation.Size, End - violation.Address)]);
        }
        return WriteResolution.Discard;
    }

    private static int SegmentOf(ulong address) => address >= HighSegment ? 0 : 1 + (int)((address - Start) / SegmentLength);

    private void Apply(int segment, GuestAccess toRam)
    {
        ulong start = segment == 0 ? HighSegment : Start + (ulong)(segment - 1) * SegmentLength;
        ulong length = segment == 0 ? End - HighSegment : SegmentLength;
        if ((toRam & GuestAccess.Read) != 0)
            _space.Map(start, _ram, start, length, toRam | GuestAccess.Execute, replace: true);
        else
            MapRom(start, length);
        _toRam[segment] = toRam;
    }

    private void MapRom(ulong start, ulong length)
    {
        ulong end = start + length;
        ulong mapped = Math.Max(start, Math.Min(_romStart, end));
        // Where there is no ROM the bus answers: all ones.
        if (mapped > start)
            _space.Unmap(start, mapped - start);
        if (mapped < end)
            _space.Map(mapped, _rom, _rom.Length - (End - mapped), end - mapped, GuestAccess.ReadExecute, replace: true);
    }
}
