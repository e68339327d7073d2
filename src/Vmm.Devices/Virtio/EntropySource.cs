namespace Vmm.Devices;

/// <summary>Fills a buffer with random bytes. Called on a processor's or the clock's thread, inside the device's lock.</summary>
/// <param name="destination">The buffer.</param>
public delegate void EntropySource(Span<byte> destination);
