namespace Vmm;

/// <summary>A wire from a device to an interrupt controller.</summary>
/// <remarks>May be called from any thread.</remarks>
public interface IInterruptLine
{
    /// <summary>Drives the wire. Setting the level it already has does nothing.</summary>
    /// <param name="level">True = asserted.</param>
    void Set(bool level);
}
