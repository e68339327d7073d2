namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>A release of Windows to simulate: which functions and abilities its platform has.</summary>
public enum WindowsRelease
{
    /// <summary>Windows 11: all functions.</summary>
    Windows11,

    /// <summary>Windows 10 1803, the first: the fifteen core functions, no local APIC, no extended state, no dirty tracking.</summary>
    Windows10Version1803,

    /// <summary>Windows 10 22H2: processor features cannot be chosen, and the timers of local APICs know no deadlines.</summary>
    Windows10Version22H2,
}
