namespace Vmm;

/// <summary>Sends accesses to guest-physical addresses to the devices that registered for them.</summary>
/// <remarks>
/// <para>
/// Accesses take no lock and allocate nothing; registering and unregistering may happen at any time from any thread, also from a device's
/// own handler. An access that began before an unregistration may still reach the device.
/// </para>
/// <para>
/// A device sees an access with the size it has: an access is divided only where it crosses the end of a range, so that no device ever sees
/// a byte that is not its own.
/// </para>
/// </remarks>
public sealed class MmioBus
{
    private readonly Lock _gate = new();
    private readonly Dictionary<BusRegistration, MmioRange> _registered = [];
    private MmioRange[] _ranges = [];
    private long _unassigned;

    /// <summary>Accesses, or parts of accesses, that no device answered.</summary>
    public ulong UnassignedAccesses => (ulong)Interlocked.Read(ref _unassigned);

    /// <summary>The registered ranges, by address.</summary>
    public IReadOnlyList<MmioRange> Ranges => Array.AsReadOnly(Volatile.Read(ref _ranges));

    /// <summary>Gives a range of addresses to a device.</summary>
    /// <param name="address">First guest-physical address.</param>
    /// <param name="length">Bytes, above 0; the range must not pass the end of the 64-bit space.</param>
    /// <param name="device">The device.</param>
    /// <param name="name">What messages call it; null = its type's name.</param>
    /// <returns>Disposing it takes the range away again.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or passes the end of the address space.</exception>
    /// <exception cref="ArgumentException">A byte is taken; the message names both devices.</exception>
    public IDisposable Register(ulong address, ulong length, IMmioDevice device, string? name = null)
    {
        MmioRange range = NewRange(address, length, device, name);
        return Add(range, out MmioRange? other) ?? throw new ArgumentException($"{range} overlaps {other}.", nameof(address));
    }

    /// <summary>Gives a range of addresses to a device, unless a byte of it is taken: for windows that a guest places.</summary>
    /// <param name="address">First guest-physical address.</param>
    /// <param name="length">Bytes, above 0; the range must not pass the end of the 64-bit space.</param>
    /// <param name="device">The device.</param>
    /// <param name="name">What messages call it; null = its type's name.</param>
    /// <returns>Disposing it takes the range away again; null when a byte is taken.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or passes the end of the address space.</exception>
    public IDisposable? TryRegister(ulong address, ulong length, IMmioDevice device, string? name = null) =>
        Add(NewRange(address, length, device, name), out _);

    /// <summary>Reads; bytes that no device answers are all ones.</summary>
    /// <param name="address">Guest-physical address.</param>
    /// <param name="size">Bytes, 1 to 8.</param>
    public ulong Read(ulong address, int size)
    {
        CheckSize(size);
        MmioRange? range = Find(address, size, out int part);
        ulong value = ReadPart(range, address, part);
        for (int done = part; done < size; done += part)
        {
            ulong next = unchecked(address + (ulong)done);
            range = Find(next, size - done, out part);
            value |= ReadPart(range, next, part) << (done << 3);
        }
        return value;
    }

    /// <summary>Writes; bytes that no device answers are dropped.</summary>
    /// <param name="address">Guest-physical address.</param>
    /// <param name="size">Bytes, 1 to 8.</param>
    /// <param name="value">The value, first byte lowest; bits above the size are ignored.</param>
    public void Write(ulong address, int size, ulong value)
    {
        CheckSize(size);
        int part;
        for (int done = 0; done < size; done += part)
        {
            ulong next = unchecked(address + (ulong)done);
            MmioRange? range = Find(next, size - done, out part);
            if (range is null)
                Interlocked.Increment(ref _unassigned);
            else
                range.Device.Write(next - range.Address, part, (value >> (done << 3)) & BusAccess.Ones(part));
        }
    }

    private static MmioRange NewRange(ulong address, ulong length, IMmioDevice device, string? name)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfZero(length);
        if (length - 1 > ulong.MaxValue - address)
            throw new ArgumentOutOfRangeException(nameof(length), $"0x{address:X} + 0x{length:X} passes the end of the address space.");
        return new MmioRange(address, length, device, name ?? device.GetType().Name);
    }

    private BusRegistration? Add(MmioRange range, out MmioRange? conflict)
    {
        lock (_gate)
        {
            conflict = Array.Find(_ranges, other => range.Address <= other.Last && other.Address <= range.Last);
            if (conflict is not null)
                return null;
            BusRegistration registration = new(Remove);
            _registered.Add(registration, range);
            Publish();
            return registration;
        }
    }

    private static void CheckSize(int size)
    {
        if (size is < 1 or > 8)
            throw new ArgumentOutOfRangeException(nameof(size), size, "A memory access has 1 to 8 bytes.");
    }

    private ulong ReadPart(MmioRange? range, ulong address, int size)
    {
        ulong ones = BusAccess.Ones(size);
        if (range is not null)
            return range.Device.Read(address - range.Address, size) & ones;
        Interlocked.Increment(ref _unassigned);
        return ones;
    }

    /// <summary>The range that holds an address, or null; and how many of the next bytes get the same answer.</summary>
    private MmioRange? Find(ulong address, int size, out int part)
    {
        MmioRange[] ranges = Volatile.Read(ref _ranges);
        int low = 0;
        int high = ranges.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (ranges[middle].Last < address)
                low = middle + 1;
            else
                high = middle;
        }
        // ranges[low], where it exists, is the first that ends at or after the address.
        ulong last = ulong.MaxValue;
        MmioRange? found = null;
        if (low < ranges.Length)
        {
            MmioRange candidate = ranges[low];
            if (candidate.Address <= address)
            {
                found = candidate;
                last = candidate.Last;
            }
            else
            {
                last = candidate.Address - 1;
            }
        }
        part = last - address < (ulong)(size - 1) ? (int)(last - address) + 1 : size;
        return found;
    }

    private void Publish() => Volatile.Write(ref _ranges, [.. _registered.Values.OrderBy(range => range.Address)]);

    private void Remove(BusRegistration registration)
    {
        lock (_gate)
        {
            if (_registered.Remove(registration))
                Publish();
        }
    }
}
