namespace Vmm;

/// <summary>A wire from a device to an interrupt controller.</summary>
/// <remarks>May be called from any thread.</remarks>
public interface IInterruptLine
{
    /// <summary>Drives the wire. Setting the level it already has does nothing.</summary>
    /// <param name="level">True = asserted.</param>
    void Set(bool level);

    /// <summary>
    /// Lowers the wire for an instant and leaves it asserted: a rising edge. A controller that has latched an earlier one does not lose it
    /// in between, so that a processor that asks just then is given it.
    /// </summary>
    void Pulse()
    {
        Set(false);
        Set(true);
    }
}
