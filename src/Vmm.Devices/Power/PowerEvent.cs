namespace Vmm.Devices;

/// <summary>A request that ends a machine's run.</summary>
/// <param name="Kind">What was asked for.</param>
/// <param name="Source">The device that asked, for messages.</param>
/// <param name="Value">The value written, for <see cref="PowerEventKind.DebugExit"/>; else 0.</param>
public readonly record struct PowerEvent(PowerEventKind Kind, string Source, uint Value = 0);
