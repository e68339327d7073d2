using Vmm.Emulator.Interrupts;
using Vmm.X86.Execution;
using Vmm.X86.Paging;

namespace Vmm.Emulator;

internal sealed unsafe partial class EmulatorVirtualProcessor
{
    private const int KeyRightsComponent = 9;

    public override int XsaveSize => XsaveArea.SizeFor(Core.Model);

    protected override ulong GetRegisterCore(Register register)
    {
        VcpuState* s = State;
        return register switch
        {
            <= Register.R15 => s->General[(int)register],
            Register.Rip => s->Rip,
            Register.Rflags => LazyFlags.Get(s),
            Register.Cr0 => s->Cr0,
            Register.Cr2 => s->Cr2,
            Register.Cr3 => s->Cr3,
            Register.Cr4 => s->Cr4,
            Register.Cr8 => s->Cr8,
            Register.Dr0 or Register.Dr1 or Register.Dr2 or Register.Dr3 => s->Debug[register - Register.Dr0],
            Register.Dr6 => s->Debug[6],
            Register.Dr7 => s->Debug[7],
            Register.Xcr0 => s->Xcr0,
            Register.Efer => s->Efer,
            _ => s->ApicBase,
        };
    }

    protected override void SetRegisterCore(Register register, ulong value)
    {
        VcpuState* s = State;
        switch (register)
        {
            case <= Register.R15:
                s->General[(int)register] = value;
                return;
            case Register.Rip:
                s->Rip = value;
                Revive();
                return;
        }
        RegisterGroups group = register == Register.Rflags ? RegisterGroups.General
            : register is >= Register.Dr0 and <= Register.Dr7 ? RegisterGroups.Debug : RegisterGroups.Control;
        ProcessorState state = default;
        GetStateCore(group, ref state);
        state.SetRegister(register, value);
        SetStateCore(group, in state);
    }

    protected override void GetStateCore(RegisterGroups groups, ref ProcessorState state)
    {
        VcpuState* s = State;
        if ((groups & RegisterGroups.General) != 0)
            state.General = StateTransfer.GetGeneral(s);
        if ((groups & RegisterGroups.Segments) != 0)
            state.Segments = StateTransfer.GetSegments(s);
        if ((groups & RegisterGroups.Control) != 0)
            state.Control = StateTransfer.GetControl(s);
        if ((groups & RegisterGroups.Debug) != 0)
            state.Debug = StateTransfer.GetDebug(s);
        if ((groups & RegisterGroups.Events) != 0)
        {
            state.Events.Activity = (ProcessorActivity)s->Activity;
            state.Events.Shadow = (InterruptibilityShadow)s->Shadow;
            state.Events.NmiBlocked = s->NmiBlocked;
            state.Events.PendingDebugTrap = s->PendingDebugTrap;
            state.Events.HasDelivering = Core.TryGetEvent(out state.Events.Delivering);
            if (Core.Apic is { } apic)
            {
                state.Events.NmiPending = (apic.Signals & ApicSignals.NonMaskable) != 0;
                state.Events.InitPending = (apic.Signals & ApicSignals.Init) != 0;
                state.Events.StartupPending = (apic.Signals & ApicSignals.Startup) != 0;
                state.Events.StartupVector = state.Events.StartupPending ? apic.StartupVector : (byte)0;
            }
        }
    }

    protected override void SetStateCore(RegisterGroups groups, in ProcessorState state)
    {
        StateCheck.Groups(groups, in state, Core.Model);
        VcpuState* s = State;
        if ((groups & RegisterGroups.General) != 0)
            StateTransfer.SetGeneral(s, in state.General);
        if ((groups & RegisterGroups.Segments) != 0)
            StateTransfer.SetSegments(s, in state.Segments);
        if ((groups & RegisterGroups.Debug) != 0)
            StateTransfer.SetDebug(s, in state.Debug);
        Revive();
        if ((groups & RegisterGroups.Events) != 0)
        {
            s->Activity = (Activity)state.Events.Activity;
            s->Shadow = (InterruptShadow)state.Events.Shadow;
            s->NmiBlocked = state.Events.NmiBlocked;
            s->PendingDebugTrap = state.Events.PendingDebugTrap;
            s->Event = default;
            if (state.Events.HasDelivering)
                Core.QueueEvent(in state.Events.Delivering);
            // A waiting NMI goes to the base class, which holds one as well.
            Core.Apic?.RestoreSignals(
                (state.Events.InitPending ? ApicSignals.Init : 0) | (state.Events.StartupPending ? ApicSignals.Startup : 0), state.Events.StartupVector);
        }
        if ((groups & RegisterGroups.Control) != 0)
            Core.LoadControl(in state.Control);
        Core.AfterStateLoad();
    }

    protected override bool TryReadMsrCore(uint msr, out ulong value) => Core.TryReadOwnMsr(msr, out value);

    protected override bool TryWriteMsrCore(uint msr, ulong value) => Core.TryWriteOwnMsr(msr, value);

    protected override void GetXsaveCore(Span<byte> area) => XsaveArea.Save(State, area, Core.Model.XsaveOffset(KeyRightsComponent));

    protected override void SetXsaveCore(ReadOnlySpan<byte> area)
    {
        uint keyRights = State->Pkru;
        XsaveArea.Load(State, area, Core.Model.XsaveOffset(KeyRightsComponent));
        if (State->Pkru != keyRights)
            Core.FlushTlb();
    }

    protected override void GetLocalApicCore(Span<byte> page) => Core.Apic!.SavePage(page);

    protected override void SetLocalApicCore(ReadOnlySpan<byte> page) => Core.RestoreApic(page);

    protected override LinearTranslationResult TranslateCore(ulong linear, GuestAccess access, bool user) =>
        LinearProbe.Translate(Core, _partition.Memory, linear, access, user);

    /// <summary>Setting state gives a processor that shut down another life.</summary>
    private void Revive()
    {
        if (State->Activity == Activity.Shutdown)
            State->Activity = Activity.Running;
    }
}
