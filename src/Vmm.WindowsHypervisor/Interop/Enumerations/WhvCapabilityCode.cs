namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What WHvGetCapability is asked for.</summary>
internal enum WhvCapabilityCode : uint
{
    HypervisorPresent = 0,
    Features = 1,
    ExtendedVmExits = 2,
    ExceptionExitBitmap = 3,
    X64MsrExitBitmap = 4,
    GpaRangePopulateFlags = 5,
    SchedulerFeatures = 6,
    ProcessorVendor = 0x1000,
    ProcessorFeatures = 0x1001,
    ProcessorClFlushSize = 0x1002,
    ProcessorXsaveFeatures = 0x1003,
    ProcessorClockFrequency = 0x1004,
    InterruptClockFrequency = 0x1005,
    ProcessorFeaturesBanks = 0x1006,
    ProcessorFrequencyCap = 0x1007,
    SyntheticProcessorFeaturesBanks = 0x1008,
    ProcessorPerfmonFeatures = 0x1009,
    PhysicalAddressWidth = 0x100A,
}
