namespace Vmm.Devices;

/// <summary>An interrupt line that tells when its interrupt was taken, so that a timer can make up for ticks that came too fast.</summary>
public interface IAcknowledgedLine : IInterruptLine
{
    /// <summary>Whether the controller holds requests of this line back. May be read from any thread.</summary>
    bool IsMasked { get; }

    /// <summary>
    /// Raised when a processor has taken this line's interrupt, on that processor's thread, with no lock of the controller held.
    /// </summary>
    event Action? Acknowledged;
}
