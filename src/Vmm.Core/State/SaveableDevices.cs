using System.Collections.Immutable;

namespace Vmm;

/// <summary>The devices of a machine whose state is saved, by name. Filled while the machine is built.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class SaveableDevices
{
    private readonly List<KeyValuePair<string, ISaveableDevice>> _devices = [];

    /// <summary>The names, in the order of adding.</summary>
    public IEnumerable<string> Names => _devices.Select(device => device.Key);

    /// <summary>Adds a device.</summary>
    /// <param name="name">Stable and unique in the machine; kebab case, a number where there may be several: <c>serial-0</c>.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void Add(string name, ISaveableDevice device)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(device);
        if (Find(name) is not null)
            throw new ArgumentException($"There is already a device named '{name}'.", nameof(name));
        _devices.Add(new(name, device));
    }

    /// <summary>Whether a device was added, under any name.</summary>
    public bool Contains(object device) => _devices.Exists(known => ReferenceEquals(known.Value, device));

    /// <summary>Takes the state of every device.</summary>
    /// <param name="now">The machine's time in nanoseconds, from which moments are measured.</param>
    public ImmutableArray<DeviceState> Capture(long now) =>
        [.. _devices.Select(device => DeviceStateExchange.Save(device.Key, device.Value, now))];

    /// <summary>Gives state to the devices. Names, kinds and versions are checked before any device is changed.</summary>
    /// <param name="states">The state of exactly these devices, in any order.</param>
    /// <param name="now">The machine's time in nanoseconds, to which moments are added.</param>
    /// <exception cref="SavedStateException">
    /// A device is missing on either side, is of another kind or a later version, or refuses a value. The machine must not run then.
    /// </exception>
    public void Apply(IReadOnlyCollection<DeviceState> states, long now)
    {
        ArgumentNullException.ThrowIfNull(states);
        HashSet<string> seen = [];
        foreach (DeviceState state in states)
        {
            ISaveableDevice device = Find(state.Name)
                ?? throw new SavedStateException($"The saved machine has a device '{state.Name}' ({state.Kind}), which this machine does not have. Give it the same devices.");
            if (!seen.Add(state.Name))
                throw new SavedStateException($"The saved machine has the device '{state.Name}' twice.");
            if (device.StateKind != state.Kind)
                throw new SavedStateException($"The device '{state.Name}' is a {state.Kind} in the saved machine and a {device.StateKind} here. Give the machine the same devices in the same order.");
            if (state.Version < 1 || state.Version > device.StateVersion)
            {
                throw new SavedStateException(
                    $"The device '{state.Name}' was saved in version {state.Version} of its state; known here are versions up to {device.StateVersion}. Restore with the library that saved it, or a later one.");
            }
        }
        if (Names.FirstOrDefault(name => !seen.Contains(name)) is { } missing)
            throw new SavedStateException($"This machine has a device '{missing}', which the saved machine does not have. Leave it out.");
        foreach (DeviceState state in states)
            DeviceStateExchange.Load(state, Find(state.Name)!, now);
    }

    private ISaveableDevice? Find(string name) => _devices.Find(device => device.Key == name).Value;
}
