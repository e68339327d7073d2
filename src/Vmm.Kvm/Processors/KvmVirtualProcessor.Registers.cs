using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>
/// Registers. The run page holds copies: of the general ones after every exit, of the others where they are asked for often; what is
/// changed there of the
/// general ones goes to the kernel with the next run.
/// </summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private ulong _cached; // which copies are those of the kernel
    private uint _entries, _specialReads, _eventReads; // of late
    private ulong _apicBase; // without a local APIC: a register that holds nothing

    private ref KvmGeneralRegisters General
    {
        get
        {
            if ((_cached & KvmRun.SyncGeneral) == 0)
            {
                KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetRegisters, &_run->General), "KVM_GET_REGS");
                _cached |= KvmRun.SyncGeneral;
            }
            return ref _run->General;
        }
    }

    private ref KvmSpecialRegisters Special
    {
        get
        {
            if ((_cached & KvmRun.SyncSpecial) == 0)
            {
                KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetSpecialRegisters, &_run->Special), "KVM_GET_SREGS");
                _specialReads++;
                _cached |= KvmRun.SyncSpecial;
            }
            return ref _run->Special;
        }
    }

    // Copies cost the kernel at every exit what reading costs once: the seldom ones are made where they were read at every fourth exit or
    // more often.
    private void ChooseCopies()
    {
        const uint Period = 64;
        if (++_entries < Period)
            return;
        _run->ValidRegisters = KvmRun.SyncGeneral | (_specialReads >= Period / 4 ? KvmRun.SyncSpecial : 0)
            | (_eventReads >= Period / 4 ? KvmRun.SyncEvents : 0);
        _entries = _specialReads = _eventReads = 0;
    }

    private ulong InstructionAddress
    {
        get
        {
            ulong linear = Special.Cs.Base + General.Rip;
            return IsCode64 ? linear : (uint)linear;
        }
    }

    private bool IsUserMode =>
        (Special.Cr0 & Cr0Bits.ProtectionEnable) != 0 && (Special.Ss.Dpl == 3 || (General.Rflags & LazyFlags.Vm) != 0);

    protected override ulong GetRegisterCore(Register register)
    {
        ProcessorState state = default;
        GetStateCore(ProcessorStateExtensions.GroupOf(register), ref state);
        return state.GetRegister(register);
    }

    protected override void SetRegisterCore(Register register, ulong value)
    {
        RegisterGroups group = ProcessorStateExtensions.GroupOf(register);
        ProcessorState state = default;
        GetStateCore(group, ref state);
        state.SetRegister(register, value);
        SetStateCore(group, in state);
    }

    protected override void GetStateCore(RegisterGroups groups, ref ProcessorState state)
    {
        if ((groups & RegisterGroups.General) != 0)
            state.General = Read(in General);
        if ((groups & RegisterGroups.Segments) != 0)
            KvmSegments.Read(in Special, ref state.Segments);
        if ((groups & RegisterGroups.Control) != 0)
            ReadControl(ref state.Control);
        if ((groups & RegisterGroups.Debug) != 0)
            ReadDebug(ref state.Debug);
        if ((groups & RegisterGroups.Events) != 0)
            ReadEvents(ref state.Events);
    }

    protected override void SetStateCore(RegisterGroups groups, in ProcessorState state)
    {
        StateCheck.Groups(groups, in state, _partition.Model);
        if ((groups & RegisterGroups.General) != 0)
            WriteGeneral(in state.General);
        if ((groups & (RegisterGroups.Segments | RegisterGroups.Control)) != 0)
            WriteSpecial(groups, in state);
        if ((groups & RegisterGroups.Debug) != 0)
            WriteDebug(in state.Debug);
        if ((groups & RegisterGroups.Events) != 0)
            WriteEvents(in state.Events);
    }

    private static GeneralRegisters Read(in KvmGeneralRegisters from) => new()
    {
        Rax = from.Rax, Rcx = from.Rcx, Rdx = from.Rdx, Rbx = from.Rbx, Rsp = from.Rsp, Rbp = from.Rbp, Rsi = from.Rsi, Rdi = from.Rdi,
        R8 = from.R8,
        R9 = from.R9, R10 = from.R10, R11 = from.R11, R12 = from.R12, R13 = from.R13, R14 = from.R14, R15 = from.R15, Rip = from.Rip,
        Rflags = from.Rflags,
    };

    private void WriteGeneral(in GeneralRegisters from)
    {
        _run->General = new KvmGeneralRegisters
        {
            Rax = from.Rax, Rcx = from.Rcx, Rdx = from.Rdx, Rbx = from.Rbx, Rsp = from.Rsp, Rbp = from.Rbp, Rsi = from.Rsi, Rdi = from.Rdi,
            R8 = from.R8,
            R9 = from.R9, R10 = from.R10, R11 = from.R11, R12 = from.R12, R13 = from.R13, R14 = from.R14, R15 = from.R15, Rip = from.Rip,
            Rflags = (from.Rflags & 0x3F_7FD5) | 2,
        };
        _cached |= KvmRun.SyncGeneral;
        _run->DirtyRegisters |= KvmRun.SyncGeneral;
    }

    // The kernel drops an exception that waits when it is given general registers: they go before events.
    private void FlushGeneral()
    {
        if ((_run->DirtyRegisters & KvmRun.SyncGeneral) == 0)
            return;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetRegisters, &_run->General), "KVM_SET_REGS");
        _run->DirtyRegisters &= ~KvmRun.SyncGeneral;
    }

    private void ReadControl(ref ControlRegisters control)
    {
        ref KvmSpecialRegisters from = ref Special;
        control = new ControlRegisters
        {
            Cr0 = from.Cr0, Cr2 = from.Cr2, Cr3 = from.Cr3, Cr4 = from.Cr4, Cr8 = from.Cr8, Efer = from.Efer, Xcr0 = ReadXcr0(),
            ApicBase = _partition.HasLocalApic ? from.ApicBase : _apicBase,
        };
    }

    private void WriteSpecial(RegisterGroups groups, in ProcessorState state)
    {
        KvmSpecialRegisters wanted = Special;
        if ((groups & RegisterGroups.Segments) != 0)
            KvmSegments.Write(in state.Segments, ref wanted);
        if ((groups & RegisterGroups.Control) != 0)
        {
            ref readonly ControlRegisters control = ref state.Control;
            wanted.Cr0 = control.Cr0;
            wanted.Cr2 = control.Cr2;
            wanted.Cr3 = control.Cr3;
            wanted.Cr4 = control.Cr4;
            wanted.Cr8 = control.Cr8;
            wanted.Efer = control.Efer;
            if (_partition.HasLocalApic)
                wanted.ApicBase = control.ApicBase;
        }
        // What is being delivered belongs to the events; bits here would begin it once more.
        for (int i = 0; i < 4; i++)
            wanted.InterruptBitmap[i] = 0;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetSpecialRegisters, &wanted), "KVM_SET_SREGS", $"processor {Index}");
        _cached &= ~KvmRun.SyncSpecial;
        if ((groups & RegisterGroups.Control) == 0)
            return;
        _apicBase = state.Control.ApicBase;
        // Without a local APIC of its own the kernel takes the task priority from here at each run.
        _run->Cr8 = state.Control.Cr8;
        WriteXcr0(state.Control.Xcr0);
    }

    private void ReadDebug(ref DebugRegisters debug)
    {
        KvmDebugRegisters from;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetDebugRegisters, &from), "KVM_GET_DEBUGREGS");
        debug = new DebugRegisters { Dr0 = from.Dr0, Dr1 = from.Dr1, Dr2 = from.Dr2, Dr3 = from.Dr3, Dr6 = from.Dr6, Dr7 = from.Dr7 };
    }

    private void WriteDebug(in DebugRegisters debug)
    {
        KvmDebugRegisters wanted = new()
        {
            Dr0 = debug.Dr0, Dr1 = debug.Dr1, Dr2 = debug.Dr2, Dr3 = debug.Dr3, Dr6 = (debug.Dr6 & 0xFFFF) | 0xFFFF_0FF0,
            Dr7 = (debug.Dr7 & 0xFFFF_2FFF) | 0x400,
        };
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetDebugRegisters, &wanted), "KVM_SET_DEBUGREGS");
    }
}
