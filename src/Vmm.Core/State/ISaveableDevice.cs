namespace Vmm;

/// <summary>A device whose state can be saved and given to a device of the same kind in another machine.</summary>
/// <remarks>
/// <para>
/// One method moves every value, in both directions: it names each value once, and what it names is written when saving and replaced when
/// loading. It is called while no processor runs guest code; timers of the clock and the host's input may still arrive, so a device takes
/// its lock.
/// </para>
/// <list type="bullet">
/// <item>Everything a guest could find out is state: registers, latches, queues, half-done sequences, and bytes on their way to it.</item>
/// <item>What was fixed when the device was made (addresses, sizes, a file behind it) is not restored but checked with
/// <c>Require</c>.</item>
/// <item>A moment is saved as its distance from <see cref="DeviceStateExchange.Now"/> with <c>Moment</c>, never as a time of the host.
/// After loading, a device arms its timers again from what it then knows.</item>
/// <item>An interrupt line belongs to both ends: the device restores the level that it remembers and does not drive the line; the
/// controller restores the levels of its inputs. So the order in which devices are loaded does not matter.</item>
/// <item>Loaded values are not to be trusted: give each its range, or look at it and throw what <see cref="DeviceStateExchange.Refuse"/>
/// makes. A device whose loading threw is not used any more.</item>
/// <item>A device without state has an empty method.</item>
/// </list>
/// </remarks>
public interface ISaveableDevice
{
    /// <summary>
    /// What kind of device it is, kebab case and stable: <c>uart-16550a</c>. State is given only to a device of the same kind.
    /// </summary>
    string StateKind { get; }

    /// <summary>From 1; grows when the set or the meaning of the values changes. State of a later version than this is refused.</summary>
    int StateVersion { get; }

    /// <summary>Names every value of the device to <paramref name="state"/>, which writes or replaces it.</summary>
    /// <exception cref="SavedStateException">Loading: a value is missing or impossible.</exception>
    void ExchangeState(DeviceStateExchange state);
}
