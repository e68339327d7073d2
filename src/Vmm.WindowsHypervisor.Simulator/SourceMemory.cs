namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>Memory of the process that a caller mapped by its address: it stays the caller's.</summary>
internal sealed unsafe class SourceMemory : GuestMemory
{
    public SourceMemory(void* address, ulong length)
        : base(length) => SetHandle((nint)address);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => true;
}
