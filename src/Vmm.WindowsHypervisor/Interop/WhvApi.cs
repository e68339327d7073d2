namespace Vmm.WindowsHypervisor.Interop;

/// <summary>
/// Every native function that the backend calls, as one table of pointers: filled from the platform's libraries by
/// <see cref="WhvLibrary"/>, or by a simulator. Names are those of the exports without "WHv"; all return an HRESULT unless said otherwise.
/// </summary>
/// <remarks>
/// A pointer of the first group is never null. One of the later groups is null where the platform is older than the release named;
/// what then falls away is said beside it. No call suppresses the transition of the garbage collector: Run blocks.
/// </remarks>
internal unsafe struct WhvApi
{
    // Windows 10 1803.
    public delegate* unmanaged<WhvCapabilityCode, void*, uint, uint*, int> GetCapability;
    public delegate* unmanaged<nint*, int> CreatePartition;
    public delegate* unmanaged<nint, int> SetupPartition;
    public delegate* unmanaged<nint, int> DeletePartition;
    public delegate* unmanaged<nint, WhvPartitionPropertyCode, void*, uint, uint*, int> GetPartitionProperty;
    public delegate* unmanaged<nint, WhvPartitionPropertyCode, void*, uint, int> SetPartitionProperty;
    public delegate* unmanaged<nint, void*, ulong, ulong, WhvMapGpaRangeFlags, int> MapGpaRange;
    public delegate* unmanaged<nint, ulong, ulong, int> UnmapGpaRange;
    public delegate* unmanaged<nint, uint, ulong, WhvTranslateGvaFlags, WhvTranslateGvaResult*, ulong*, int> TranslateGva;
    public delegate* unmanaged<nint, uint, uint, int> CreateVirtualProcessor;
    public delegate* unmanaged<nint, uint, int> DeleteVirtualProcessor;
    public delegate* unmanaged<nint, uint, void*, uint, int> RunVirtualProcessor;
    public delegate* unmanaged<nint, uint, uint, int> CancelRunVirtualProcessor;
    public delegate* unmanaged<nint, uint, WhvRegisterName*, uint, WhvRegisterValue*, int> GetVirtualProcessorRegisters;
    public delegate* unmanaged<nint, uint, WhvRegisterName*, uint, WhvRegisterValue*, int> SetVirtualProcessorRegisters;

    // Windows 10 1809. Without them: no local APIC, no extended state, no dirty tracking.
    public delegate* unmanaged<nint, WhvInterruptControl*, uint, int> RequestInterrupt;
    public delegate* unmanaged<nint, uint, void*, uint, uint*, int> GetVirtualProcessorXsaveState;
    public delegate* unmanaged<nint, uint, void*, uint, int> SetVirtualProcessorXsaveState;
    public delegate* unmanaged<nint, ulong, ulong, ulong*, uint, int> QueryGpaRangeDirtyBitmap;

    // Windows 10 1903. Without them: partition time cannot be stopped.
    public delegate* unmanaged<nint, int> SuspendPartitionTime;
    public delegate* unmanaged<nint, int> ResumePartitionTime;

    // Windows 10 2004. Without them: no state of the local APIC, and stores that ring doorbells leave the guest first.
    public delegate* unmanaged<nint, uint, void*, uint, uint*, int> GetVirtualProcessorInterruptControllerState2;
    public delegate* unmanaged<nint, uint, void*, uint, int> SetVirtualProcessorInterruptControllerState2;
    public delegate* unmanaged<nint, WhvDoorbellMatchData*, nint, int> RegisterPartitionDoorbellEvent;
    public delegate* unmanaged<nint, WhvDoorbellMatchData*, int> UnregisterPartitionDoorbellEvent;

    // Windows 10 20H2. Without them the older functions for the same state serve; what CPUID shows cannot be checked.
    public delegate* unmanaged<nint, uint, WhvVirtualProcessorStateType, void*, uint, uint*, int> GetVirtualProcessorState;
    public delegate* unmanaged<nint, uint, WhvVirtualProcessorStateType, void*, uint, int> SetVirtualProcessorState;
    public delegate* unmanaged<nint, uint, uint, uint, WhvCpuidOutput*, int> GetVirtualProcessorCpuidOutput;

    // Windows 11 21H2. Without it the backend writes the power-on state itself.
    public delegate* unmanaged<nint, int> ResetPartition;

    // kernel32.dll: address, size, type, protection; the address or null.
    public delegate* unmanaged<void*, nuint, uint, uint, void*> VirtualAlloc;

    // kernel32.dll: address, size, type; 0 on failure.
    public delegate* unmanaged<void*, nuint, uint, int> VirtualFree;
}
