namespace Vmm;

/// <summary>Why a processor stopped.</summary>
public enum ExitKind : byte
{
    /// <summary>Nothing yet: the default of <see cref="VpExit"/>.</summary>
    None,

    /// <summary>HLT retired; RIP is past it.</summary>
    Halt,

    /// <summary>A port access; see <see cref="VpExit.PortIo"/>.</summary>
    PortIo,

    /// <summary>A data access to an unmapped guest-physical address; see <see cref="VpExit.Mmio"/>.</summary>
    Mmio,

    /// <summary>An access that the second level refuses; see <see cref="VpExit.SlatViolation"/>.</summary>
    SlatViolation,

    /// <summary>CPUID of a leaf in <see cref="PartitionOptions.CpuidExits"/>.</summary>
    Cpuid,

    /// <summary>RDMSR or WRMSR that the policy sends out.</summary>
    Msr,

    /// <summary>VMCALL or VMMCALL; the arguments are in registers, RIP is past it.</summary>
    Hypercall,

    /// <summary>
    /// A window for a deferred event opened. For platforms that report it: deferred events are delivered without the client, so it may
    /// never come.
    /// </summary>
    InterruptWindow,

    /// <summary>EOI of a level-triggered interrupt.</summary>
    ApicEoi,

    /// <summary>An exception of <see cref="PartitionOptions.ExceptionExits"/>; not delivered, RIP is at the instruction.</summary>
    Exception,

    /// <summary>A breakpoint, watchpoint or step of the host's debugger.</summary>
    Debug,

    /// <summary>Triple fault. <see cref="IVirtualProcessor.Run"/> throws until state is set or the processor is reset.</summary>
    Shutdown,

    /// <summary>INIT or SIPI reached the processor.</summary>
    InitSipi,

    /// <summary><see cref="IVirtualProcessor.Cancel"/>, or the instruction budget is used up.</summary>
    Cancelled,

    /// <summary>The backend cannot go on; see <see cref="VpExit.Failed"/>.</summary>
    Failed,
}

/// <summary>What <see cref="IVirtualProcessor.CompletePending"/> came to.</summary>
public enum CompletionStatus
{
    /// <summary>The instruction is finished.</summary>
    Done,

    /// <summary>The same instruction needs the caller again.</summary>
    FurtherExit,
}

/// <summary>What becomes of a violating write.</summary>
public enum WriteResolution
{
    /// <summary>The instruction finishes, memory is unchanged.</summary>
    Discard,

    /// <summary>The store is made; the client has changed the rights.</summary>
    Perform,
}
