namespace Vmm.Devices;

/// <summary>What a network card is plugged into.</summary>
public interface INetworkLink
{
    /// <summary>Says where frames for the card go; called once, by the card.</summary>
    /// <param name="receiver">
    /// Takes a frame of at most 1514 bytes; may be called from any thread, but not from within <see cref="Send"/>.
    /// </param>
    void Connect(NetworkReceiver receiver);

    /// <summary>Takes a frame from the card, inside the card's lock: must not block, and drops what it has no room for.</summary>
    /// <param name="frame">The frame, without its checksum: whatever the guest sent, up to 1514 bytes; valid only during the call.</param>
    void Send(ReadOnlySpan<byte> frame);
}
