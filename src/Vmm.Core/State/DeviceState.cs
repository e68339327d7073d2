using System.Collections.Immutable;

namespace Vmm;

/// <summary>The saved state of one device.</summary>
/// <param name="Name">Name of the device in its machine: <c>serial-0</c>.</param>
/// <param name="Kind">Its <see cref="ISaveableDevice.StateKind"/>.</param>
/// <param name="Version">Its <see cref="ISaveableDevice.StateVersion"/> when it was saved.</param>
/// <param name="Values">The values by name, as bytes, little-endian.</param>
public sealed record DeviceState(string Name, string Kind, int Version, ImmutableArray<KeyValuePair<string, ReadOnlyMemory<byte>>> Values);
