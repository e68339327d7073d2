namespace Vmm.Machines;

/// <summary>Bytes that went to the serial port of a deterministic machine.</summary>
/// <param name="Time">The machine's time in nanoseconds.</param>
/// <param name="Data">The bytes.</param>
public sealed record TimedInput(long Time, ReadOnlyMemory<byte> Data);
