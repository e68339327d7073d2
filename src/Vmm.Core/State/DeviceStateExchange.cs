using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Vmm;

/// <summary>Moves the values of a device into its saved state, or out of it; see <see cref="ISaveableDevice"/>.</summary>
/// <remarks>
/// Names are unique in the device. Loading throws <see cref="SavedStateException"/> for a value that is missing, of another size, or out of
/// range.
/// </remarks>
public sealed class DeviceStateExchange
{
    private const long LongestDistance = 100L * 366 * 86_400 * 1_000_000_000;

    private readonly string _device;
    private readonly ImmutableArray<KeyValuePair<string, ReadOnlyMemory<byte>>>.Builder? _saved;
    private readonly Dictionary<string, ReadOnlyMemory<byte>>? _loading;
    private string _prefix = "";

    private DeviceStateExchange(
        string device, int version, long now, ImmutableArray<KeyValuePair<string, ReadOnlyMemory<byte>>>.Builder? saved,
        Dictionary<string, ReadOnlyMemory<byte>>? loading)
    {
        _device = device;
        Version = version;
        Now = now;
        _saved = saved;
        _loading = loading;
    }

    /// <summary>Values are replaced, not written.</summary>
    public bool IsLoading => _loading is not null;

    /// <summary>The version of the state: the device's own when saving, that of the saved state when loading.</summary>
    public int Version { get; }

    /// <summary>The machine's time in nanoseconds at which it is saved or restored.</summary>
    public long Now { get; }

    /// <summary>Takes the state of a device.</summary>
    /// <param name="name">Its name in the machine.</param>
    /// <param name="device">The device.</param>
    /// <param name="now">The machine's time in nanoseconds.</param>
    public static DeviceState Save(string name, ISaveableDevice device, long now)
    {
        ArgumentNullException.ThrowIfNull(device);
        DeviceStateExchange exchange = new(
            name, device.StateVersion, now, ImmutableArray.CreateBuilder<KeyValuePair<string, ReadOnlyMemory<byte>>>(), null);
        device.ExchangeState(exchange);
        return new(name, device.StateKind, device.StateVersion, exchange._saved!.ToImmutable());
    }

    /// <summary>Gives saved state to a device.</summary>
    /// <param name="state">The state; kind and version have been checked.</param>
    /// <param name="device">The device.</param>
    /// <param name="now">The machine's time in nanoseconds.</param>
    /// <exception cref="SavedStateException">A value is missing, unknown or impossible.</exception>
    public static void Load(DeviceState state, ISaveableDevice device, long now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(device);
        Dictionary<string, ReadOnlyMemory<byte>> values = [];
        foreach ((string name, ReadOnlyMemory<byte> value) in state.Values)
        {
            if (!values.TryAdd(name, value))
                throw new SavedStateException($"The device '{state.Name}' has the value {name} twice.");
        }
        device.ExchangeState(new(state.Name, state.Version, now, null, values));
        if (values.Count != 0)
        {
            string unknown = string.Join(", ", values.Keys.Order(StringComparer.Ordinal).Take(5));
            throw new SavedStateException($"The saved device '{state.Name}' has values that are not known here: {unknown}.");
        }
    }

    /// <summary>Makes the exception for a loaded value that cannot be.</summary>
    /// <param name="name">Name of the value.</param>
    /// <param name="why">What is wrong with it, as the end of a sentence: "is past the end of the queue".</param>
    public SavedStateException Refuse(string name, string why) => new($"The saved device '{_device}' cannot be restored: its {_prefix}{name} {why}.");

    /// <summary>
    /// Puts a prefix and a dot before the names of a part, until <paramref name="part"/> returns: for channels, queues, functions.
    /// </summary>
    public void Part(string prefix, Action<DeviceStateExchange> part)
    {
        ArgumentNullException.ThrowIfNull(part);
        string outer = _prefix;
        _prefix = $"{outer}{prefix}.";
        part(this);
        _prefix = outer;
    }

    /// <summary>A flag.</summary>
    public void Value(string name, ref bool value) => value = Number(name, value ? 1UL : 0, 1, 1) != 0;

    /// <summary>A byte of at most <paramref name="maximum"/>.</summary>
    public void Value(string name, ref byte value, byte maximum = byte.MaxValue) => value = (byte)Number(name, value, 1, maximum);

    /// <summary>A 16-bit number of at most <paramref name="maximum"/>.</summary>
    public void Value(string name, ref ushort value, ushort maximum = ushort.MaxValue) => value = (ushort)Number(name, value, 2, maximum);

    /// <summary>A 32-bit number of at most <paramref name="maximum"/>.</summary>
    public void Value(string name, ref uint value, uint maximum = uint.MaxValue) => value = (uint)Number(name, value, 4, maximum);

    /// <summary>A 64-bit number of at most <paramref name="maximum"/>.</summary>
    public void Value(string name, ref ulong value, ulong maximum = ulong.MaxValue) => value = Number(name, value, 8, maximum);

    /// <summary>A signed number from <paramref name="minimum"/> to <paramref name="maximum"/>.</summary>
    public void Value(string name, ref int value, int minimum, int maximum)
    {
        long wide = value;
        Value(name, ref wide, minimum, maximum);
        value = (int)wide;
    }

    /// <summary>A signed 64-bit number from <paramref name="minimum"/> to <paramref name="maximum"/>.</summary>
    public void Value(string name, ref long value, long minimum, long maximum)
    {
        long loaded = (long)Number(name, (ulong)value, 8, ulong.MaxValue);
        if (IsLoading && (loaded < minimum || loaded > maximum))
            throw Refuse(name, $"is {loaded}, not from {minimum} to {maximum}");
        value = loaded;
    }

    /// <summary>
    /// A moment of the machine's time, saved as its distance from <see cref="Now"/>. <see cref="long.MaxValue"/> and
    /// <see cref="long.MinValue"/> stay themselves: never, and not yet. Other loaded moments lie within 100 years.
    /// </summary>
    public void Moment(string name, ref long nanoseconds) => Moment(name, ref nanoseconds, Now, LongestDistance);

    /// <summary>
    /// As the other one, in a unit of the device's own: a count that runs with the machine's time and stands at <paramref name="now"/>.
    /// </summary>
    /// <param name="name">Name of the value.</param>
    /// <param name="moment">The moment.</param>
    /// <param name="now">The count at <see cref="Now"/>.</param>
    /// <param name="limit">How far from it a loaded moment may be.</param>
    public void Moment(string name, ref long moment, long now, long limit)
    {
        bool isNone = moment is long.MaxValue or long.MinValue;
        long distance = (long)Number(name, (ulong)(isNone ? moment : moment - now), 8, ulong.MaxValue);
        if (!IsLoading)
            return;
        isNone = distance is long.MaxValue or long.MinValue;
        if (!isNone && (distance < -limit || distance > limit))
            throw Refuse(name, "is too far away");
        moment = isNone ? distance : now + distance;
    }

    /// <summary>A fixed number of bytes.</summary>
    public void Bytes(string name, Span<byte> bytes)
    {
        if (_saved is not null)
        {
            Add(name, bytes.ToArray());
            return;
        }
        ReadOnlyMemory<byte> loaded = Take(name);
        if (loaded.Length != bytes.Length)
            throw Refuse(name, $"has {loaded.Length} bytes instead of {bytes.Length}");
        loaded.Span.CopyTo(bytes);
    }

    /// <summary>Any number of bytes up to a limit: a queue.</summary>
    /// <returns>The bytes: those given when saving, the saved ones when loading.</returns>
    public ReadOnlyMemory<byte> Bytes(string name, ReadOnlyMemory<byte> bytes, int maximumLength)
    {
        if (_saved is not null)
        {
            Add(name, bytes.ToArray());
            return bytes;
        }
        ReadOnlyMemory<byte> loaded = Take(name);
        return loaded.Length <= maximumLength ? loaded : throw Refuse(name, $"has {loaded.Length} bytes, more than {maximumLength}");
    }

    /// <summary>A value that was fixed when the device was made: written, and on loading compared with the device's own.</summary>
    /// <exception cref="SavedStateException">Loading: it differs.</exception>
    public void Require(string name, ulong value)
    {
        ulong saved = Number(name, value, 8, ulong.MaxValue);
        if (saved != value)
            throw Refuse(name, $"is 0x{saved:X}, but 0x{value:X} in this machine");
    }

    private ulong Number(string name, ulong value, int size, ulong maximum)
    {
        Span<byte> whole = stackalloc byte[8];
        if (_saved is not null)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(whole, value);
            Add(name, whole[..size].ToArray());
            return value;
        }
        ReadOnlyMemory<byte> loaded = Take(name);
        if (loaded.Length != size)
            throw Refuse(name, $"has {loaded.Length} bytes instead of {size}");
        whole.Clear();
        loaded.Span.CopyTo(whole);
        ulong number = BinaryPrimitives.ReadUInt64LittleEndian(whole);
        return number <= maximum ? number : throw Refuse(name, $"is 0x{number:X}, above 0x{maximum:X}");
    }

    private void Add(string name, byte[] value)
    {
        string full = _prefix + name;
        foreach ((string known, _) in _saved!)
        {
            if (known == full)
                throw new InvalidOperationException($"The device '{_device}' names its value {full} twice.");
        }
        _saved.Add(new(full, value));
    }

    private ReadOnlyMemory<byte> Take(string name) =>
        _loading!.Remove(_prefix + name, out ReadOnlyMemory<byte> value) ? value : throw Refuse(name, "is missing");
}
