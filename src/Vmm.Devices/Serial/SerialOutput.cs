namespace Vmm.Devices;

/// <summary>
/// Takes bytes that a guest sends, in order. Called on a vCPU's thread inside the device's lock: it should not block for long.
/// </summary>
/// <param name="data">The bytes; valid only during the call.</param>
public delegate void SerialOutput(ReadOnlySpan<byte> data);
