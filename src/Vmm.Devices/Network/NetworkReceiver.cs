namespace Vmm.Devices;

/// <summary>Takes a frame for a network card.</summary>
/// <param name="frame">The frame, without its checksum; valid only during the call.</param>
public delegate void NetworkReceiver(ReadOnlySpan<byte> frame);
