namespace Vmm.Devices;

/// <summary>Sends an interrupt message to the local APICs. Called on any thread, with no lock of the sender held; must not block.</summary>
/// <param name="request">The message.</param>
public delegate void InterruptMessage(in InterruptRequest request);
