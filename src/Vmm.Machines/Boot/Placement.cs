namespace Vmm.Machines;

/// <summary>Which parts of RAM a load has given away, so that nothing it places lies on anything else.</summary>
internal sealed class Placement
{
    private const ulong PageSize = 4096;

    // Page 0 has the real-mode vectors and the BIOS data area, which some guests look into.
    private const ulong FirstAddress = 0x1000;
    private const ulong ConventionalEnd = 0x9_F000;

    private readonly string _image;
    private readonly string _attempted;
    private readonly List<(ulong Start, ulong End, string What)> _taken = [];

    public Placement(IBootMemory memory, string image, string attempted)
    {
        Memory = memory;
        _image = image;
        _attempted = attempted;
    }

    public IBootMemory Memory { get; }

    /// <summary>Takes a range that the image itself names.</summary>
    public void Take(ulong start, ulong length, string what)
    {
        if (!Memory.Map.IsRam(start, length))
        {
            throw Refuse(
                $"{what} goes to 0x{start:X}, {length} bytes, where there is no RAM",
                $"The machine has {Memory.Map.Size >> 10} KiB of RAM, 0x0-0x{Memory.Map.Low:X} of it below 4 GiB: give it more, "
                    + "or link the image elsewhere");
        }
        if (length == 0)
            return;
        foreach ((ulong takenStart, ulong takenEnd, string takenBy) in _taken)
        {
            if (start < takenEnd && takenStart < start + length)
            {
                throw Refuse(
                    $"{what} (0x{start:X}-0x{start + length:X}) overlaps {takenBy} (0x{takenStart:X}-0x{takenEnd:X})",
                    "Check how the image was linked");
            }
        }
        _taken.Add((start, start + length, what));
    }

    /// <summary>Finds whole pages for what the loader adds, below 640 KiB if there is room, else anywhere below 4 GiB.</summary>
    public ulong Find(ulong length, string what)
    {
        ulong address = FindUpwards(FirstAddress, ConventionalEnd, length) ?? FindUpwards(0x10_0000, Memory.Map.Low, length)
            ?? throw NoRoom(length, what);
        Take(address, length, what);
        return address;
    }

    /// <summary>Finds whole pages at or above an address, as low as possible.</summary>
    public ulong FindAbove(ulong start, ulong length, string what)
    {
        ulong address = FindUpwards(start, Memory.Map.Low, length) ?? throw NoRoom(length, what);
        Take(address, length, what);
        return address;
    }

    /// <summary>Finds whole pages that end at or below an address, as high as possible, and not below another.</summary>
    public ulong FindBelow(ulong end, ulong lowest, ulong length, string what)
    {
        ulong limit = Math.Min(end, Memory.Map.Low);
        while (limit >= length && limit - length >= lowest)
        {
            ulong start = (limit - length) & ~(PageSize - 1);
            if (start < lowest)
                break;
            if (Conflict(start, start + length) is not { } conflict)
            {
                Take(start, length, what);
                return start;
            }
            limit = conflict.Start;
        }
        throw NoRoom(length, what);
    }

    public void Write(ulong address, ReadOnlySpan<byte> data) => Memory.Write(address, data);

    public ImageLoadException Refuse(string found, string hint) => new(_image, _attempted, found, hint);

    private ulong? FindUpwards(ulong start, ulong end, ulong length)
    {
        end = Math.Min(end, Memory.Map.Low);
        ulong address = (start + PageSize - 1) & ~(PageSize - 1);
        while (address <= end && length <= end - address)
        {
            if (Conflict(address, address + length) is not { } conflict)
                return address;
            address = (conflict.End + PageSize - 1) & ~(PageSize - 1);
        }
        return null;
    }

    private (ulong Start, ulong End)? Conflict(ulong start, ulong end)
    {
        foreach ((ulong takenStart, ulong takenEnd, string _) in _taken)
        {
            if (start < takenEnd && takenStart < end)
                return (takenStart, takenEnd);
        }
        return null;
    }

    private ImageLoadException NoRoom(ulong length, string what) => Refuse(
        $"there is no room for {what} ({length} bytes) beside the rest",
        $"The machine has {Memory.Map.Size >> 10} KiB of RAM: give it more");
}
