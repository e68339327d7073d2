namespace Vmm.WindowsHypervisor.Interop;

/// <summary>A set of counters of a virtual processor.</summary>
internal enum WhvProcessorCounterSet : uint
{
    Runtime = 0,
    Intercepts = 1,
    Events = 2,
    Apic = 3,
    SyntheticFeatures = 4,
}
