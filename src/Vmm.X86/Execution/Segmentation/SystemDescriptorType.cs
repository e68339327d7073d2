namespace Vmm.X86.Execution;

/// <summary>Types of system descriptors (SDM Vol. 3A table 3-2).</summary>
internal static class SystemDescriptorType
{
    public const uint AvailableTss16 = 1, Ldt = 2, BusyTss16 = 3, CallGate16 = 4, TaskGate = 5, InterruptGate16 = 6, TrapGate16 = 7,
        AvailableTss32 = 9, BusyTss32 = 11, CallGate32 = 12, InterruptGate32 = 14, TrapGate32 = 15;
}
