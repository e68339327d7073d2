namespace Vmm;

/// <summary>Answers the MSR accesses that a <see cref="MsrPolicy"/> sends out of the backend.</summary>
/// <remarks>Called on the thread that runs the processor.</remarks>
public interface IMsrHandler
{
    /// <summary>RDMSR.</summary>
    /// <param name="processor">Who reads.</param>
    /// <param name="msr">MSR number.</param>
    /// <param name="value">The value.</param>
    /// <returns>False: the guest gets #GP(0).</returns>
    bool TryRead(IVirtualProcessor processor, uint msr, out ulong value);

    /// <summary>WRMSR.</summary>
    /// <param name="processor">Who writes.</param>
    /// <param name="msr">MSR number.</param>
    /// <param name="value">The value.</param>
    /// <returns>False: the guest gets #GP(0).</returns>
    bool TryWrite(IVirtualProcessor processor, uint msr, ulong value);
}
