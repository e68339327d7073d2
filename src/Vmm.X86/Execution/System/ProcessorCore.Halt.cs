namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// HLT: the activity becomes halted and <see cref="Request"/> says so. The instruction retires with <see cref="Outcome.NextBlock"/>; the
    /// dispatcher looks at <see cref="VcpuState.Activity"/> whenever a block was left that way.
    /// </summary>
    internal Outcome Halt()
    {
        State->Activity = Activity.Halted;
        Announce(ExternalRequestKind.Halt, 0);
        return Outcome.NextBlock;
    }

    /// <summary>CR4.UMIP keeps SGDT, SIDT, SLDT, SMSW and STR from user mode.</summary>
    internal bool UmipForbids() => State->Cpl != 0 && (State->Cr4 & Cr4Bits.Umip) != 0;

    /// <summary>Forgets every cached translation: INVLPG, INVPCID.</summary>
    internal void DropTranslations() => ChangeTranslations();
}
