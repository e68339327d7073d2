namespace Vmm;

/// <summary>Everything that is frozen when a partition is created.</summary>
public sealed record PartitionOptions
{
    /// <summary>Number of virtual processors, 1 to <see cref="HypervisorCapabilities.MaximumProcessors"/>.</summary>
    public int ProcessorCount { get; init; } = 1;

    /// <summary>What CPUID shows; null = the backend's default profile.</summary>
    public CpuProfile? CpuProfile { get; init; }

    /// <summary>Format of the nested page tables; null = the backend's default. Needs <see cref="Capability.SlatFormatChoice"/>.</summary>
    public SlatFormat? SlatFormat { get; init; }

    /// <summary>
    /// Whether the backend has a local APIC for each processor. With one, <see cref="IVirtualProcessor.Run"/> waits inside at HLT.
    /// </summary>
    public LocalApicMode LocalApic { get; init; } = LocalApicMode.None;

    /// <summary>Which MSR accesses leave the backend; null = what the profile needs is answered inside, all else is #GP.</summary>
    public MsrPolicy? MsrPolicy { get; init; }

    /// <summary>CPUID leaves that exit, by leaf number. Needs <see cref="Capability.CpuidExits"/>.</summary>
    public IReadOnlyList<uint> CpuidExits { get; init; } = [];

    /// <summary>
    /// Exceptions that exit instead of going to the guest: bit n is vector n. Must be inside
    /// <see cref="HypervisorCapabilities.InterceptableExceptions"/>.
    /// </summary>
    public uint ExceptionExits { get; init; }

    /// <summary>VMCALL and VMMCALL exit instead of raising #UD. Needs <see cref="Capability.Hypercalls"/>.</summary>
    public bool HypercallExits { get; init; }

    /// <summary>
    /// Refuse instruction fetches from memory mapped without <see cref="GuestAccess.Execute"/>. Needs
    /// <see cref="Capability.ExecuteProtection"/>.
    /// </summary>
    public bool EnforceExecute { get; init; }

    /// <summary>
    /// Most instructions that one <see cref="IVirtualProcessor.Run"/> retires before it returns <see cref="ExitKind.Cancelled"/>; 0 = no
    /// limit. A fault counts as one, so that a guest that only faults returns as well. Needs <see cref="Capability.InstructionBudget"/>.
    /// </summary>
    public ulong InstructionBudget { get; init; }

    /// <summary>
    /// Time is counted in retired instructions (<see cref="IPartition.VirtualTime"/>) instead of the host's time. Processors are then run
    /// in turn, on one thread at a time, and HLT exits also where the backend has local APICs. Needs <see cref="Capability.VirtualTime"/>.
    /// </summary>
    public bool VirtualTime { get; init; }
}
