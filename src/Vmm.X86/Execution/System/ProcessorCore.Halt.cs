namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// HLT: retires with <see cref="Outcome.NextBlock"/>, RIP after it, and the activity halted. The dispatcher looks at
    /// <see cref="VcpuState.Activity"/> whenever an instruction ended that way.
    /// </summary>
    internal Outcome Halt()
    {
        State->Activity = Activity.Halted;
        return Outcome.NextBlock;
    }

    /// <summary>VMCALL or VMMCALL: retires, and leaves <see cref="Request"/> saying so; registers carry the rest both ways.</summary>
    internal Outcome Hypercall()
    {
        Announce(ExternalRequestKind.Hypercall, State->General[0]);
        return Outcome.NextBlock;
    }

    /// <summary>CR4.UMIP keeps SGDT, SIDT, SLDT, SMSW and STR from user mode.</summary>
    internal bool UmipForbids() => State->Cpl != 0 && (State->Cr4 & Cr4Bits.Umip) != 0;
}
