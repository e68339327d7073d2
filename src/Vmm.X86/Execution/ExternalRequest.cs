namespace Vmm.X86.Execution;

/// <summary>What an instruction wants from outside the processor.</summary>
public enum ExternalRequestKind : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>IN or INS.</summary>
    PortRead,

    /// <summary>OUT or OUTS.</summary>
    PortWrite,

    /// <summary>A load from an address without memory.</summary>
    MmioRead,

    /// <summary>A store to an address without memory.</summary>
    MmioWrite,

    /// <summary>A read, or a page walk, that the second level refuses.</summary>
    SlatRead,

    /// <summary>A store that the second level refuses: answered by discarding it, or retried after the rights changed.</summary>
    SlatWrite,

    /// <summary>An instruction fetch that the second level refuses.</summary>
    SlatExecute,

    /// <summary>RDMSR of a register that the policy sends out.</summary>
    MsrRead,

    /// <summary>WRMSR likewise.</summary>
    MsrWrite,

    /// <summary>CPUID: the leaf is in <see cref="ExternalRequest.Address"/>, the subleaf in <see cref="ExternalRequest.Value"/>.</summary>
    Cpuid,

    /// <summary>VMCALL or VMMCALL retired: announced, not answered; <see cref="ExternalRequest.Address"/> is RAX.</summary>
    Hypercall,
}

/// <summary>One request, and after completion its answer.</summary>
public struct ExternalRequest
{
    /// <summary>What is wanted.</summary>
    public ExternalRequestKind Kind;

    /// <summary>Access size in bytes, 1 to 8.</summary>
    public byte Size;

    /// <summary>The access is part of a page walk.</summary>
    public bool PageWalk;

    /// <summary>One element of INS or OUTS.</summary>
    public bool IsString;

    /// <summary>The answer is "refused": #GP(0) for an MSR, discard for a store.</summary>
    public bool Refused;

    /// <summary>Port, guest-physical address, MSR number or CPUID leaf.</summary>
    public ulong Address;

    /// <summary>The value written, or the answer to a read. CPUID: EAX and EBX of the answer (low, high half).</summary>
    public ulong Value;

    /// <summary>CPUID: ECX and EDX of the answer (low, high half).</summary>
    public ulong Value2;
}
