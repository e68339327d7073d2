namespace Vmm;

/// <summary>Sends port accesses to the devices that registered for them.</summary>
/// <remarks>
/// Accesses take no lock and allocate nothing; registering and unregistering may happen at any time from any thread, also from a device's
/// own handler. An access that began before an unregistration may still reach the device. An access goes whole, with its size, to the
/// device of its first port.
/// </remarks>
public sealed class PortBus
{
    private const int PortCount = 0x1_0000;

    private readonly Lock _gate = new();
    private readonly IPortDevice?[] _devices = new IPortDevice?[PortCount];
    private readonly Dictionary<BusRegistration, PortRange> _ranges = [];
    private long _unassigned;

    /// <summary>Accesses that no device answered.</summary>
    public ulong UnassignedAccesses => (ulong)Interlocked.Read(ref _unassigned);

    /// <summary>The registered ranges, by port.</summary>
    public IReadOnlyList<PortRange> Ranges
    {
        get
        {
            lock (_gate)
                return [.. _ranges.Values.OrderBy(range => range.First)];
        }
    }

    /// <summary>Gives a range of ports to a device.</summary>
    /// <param name="first">First port.</param>
    /// <param name="count">Number of ports, 1 to 65536 - <paramref name="first"/>.</param>
    /// <param name="device">The device.</param>
    /// <param name="name">What messages call it; null = its type's name.</param>
    /// <returns>Disposing it takes the ports away again.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or leaves the port space.</exception>
    /// <exception cref="ArgumentException">A port is taken; the message names both devices.</exception>
    public IDisposable Register(ushort first, int count, IPortDevice device, string? name = null)
    {
        PortRange range = NewRange(first, count, device, name);
        return Add(range, out PortRange? other) ?? throw new ArgumentException($"{range} overlaps {other}.", nameof(first));
    }

    /// <summary>Gives a range of ports to a device, unless one of them is taken: for windows that a guest places.</summary>
    /// <param name="first">First port.</param>
    /// <param name="count">Number of ports, 1 to 65536 - <paramref name="first"/>.</param>
    /// <param name="device">The device.</param>
    /// <param name="name">What messages call it; null = its type's name.</param>
    /// <returns>Disposing it takes the ports away again; null when a port is taken.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or leaves the port space.</exception>
    public IDisposable? TryRegister(ushort first, int count, IPortDevice device, string? name = null) =>
        Add(NewRange(first, count, device, name), out _);

    /// <summary>Reads a port; all ones when no device answers.</summary>
    /// <param name="port">Port number.</param>
    /// <param name="size">Bytes: 1, 2 or 4.</param>
    public uint Read(ushort port, int size)
    {
        CheckSize(size);
        IPortDevice? device = Volatile.Read(ref _devices[port]);
        if (device is not null)
            return device.Read(port, size) & (uint)BusAccess.Ones(size);
        Interlocked.Increment(ref _unassigned);
        return (uint)BusAccess.Ones(size);
    }

    /// <summary>Writes a port; dropped when no device answers.</summary>
    /// <param name="port">Port number.</param>
    /// <param name="size">Bytes: 1, 2 or 4.</param>
    /// <param name="value">The value; bits above the size are ignored.</param>
    public void Write(ushort port, int size, uint value)
    {
        CheckSize(size);
        IPortDevice? device = Volatile.Read(ref _devices[port]);
        if (device is not null)
            device.Write(port, size, value & (uint)BusAccess.Ones(size));
        else
            Interlocked.Increment(ref _unassigned);
    }

    private static PortRange NewRange(ushort first, int count, IPortDevice device, string? name)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (count < 1 || count > PortCount - first)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"From port 0x{first:X} on, a device can have 1 to {PortCount - first} port(s).");
        return new PortRange(first, count, device, name ?? device.GetType().Name);
    }

    private BusRegistration? Add(PortRange range, out PortRange? conflict)
    {
        lock (_gate)
        {
            conflict = _ranges.Values.FirstOrDefault(other => range.First <= other.Last && other.First <= range.Last);
            if (conflict is not null)
                return null;
            BusRegistration registration = new(Remove);
            _ranges.Add(registration, range);
            for (int port = range.First; port <= range.Last; port++)
                Volatile.Write(ref _devices[port], range.Device);
            return registration;
        }
    }

    private static void CheckSize(int size)
    {
        if (size is not (1 or 2 or 4))
            throw new ArgumentOutOfRangeException(nameof(size), size, "A port access has 1, 2 or 4 bytes.");
    }

    private void Remove(BusRegistration registration)
    {
        lock (_gate)
        {
            if (!_ranges.Remove(registration, out PortRange? range))
                return;
            for (int port = range.First; port <= range.Last; port++)
                Volatile.Write(ref _devices[port], null);
        }
    }
}
