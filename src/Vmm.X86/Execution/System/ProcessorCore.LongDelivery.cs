namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>Through the 64-bit IDT (SDM Vol. 3A 6.14).</summary>
    private Outcome EnterLongMode(in PendingEvent e, ulong flags, ulong returnRip)
    {
        VcpuState* s = State;
        uint index = e.Vector * 16U;
        if (index + 15 > s->Idtr.Limit)
            return RaiseIdt(ExceptionVector.GeneralProtection, e.Vector);
        if (!ReadSystem(s->Idtr.Base + index, out ulong low) || !ReadSystem(s->Idtr.Base + index + 8, out ulong high))
            return Stopped;
        Descriptor gate = new(low, (uint)high);
        bool software = e.Kind is EventKind.SoftwareInterrupt or EventKind.SoftwareException;
        if (gate.IsCodeOrData || gate.Type is not (SystemDescriptorType.InterruptGate32 or SystemDescriptorType.TrapGate32)
            || (high & 0x1F00_0000_0000) != 0 || (software && gate.Dpl < s->Cpl))
            return RaiseIdt(ExceptionVector.GeneralProtection, e.Vector);
        if (!gate.Present)
            return RaiseIdt(ExceptionVector.SegmentNotPresent, e.Vector);
        ushort selector = gate.GateSelector;
        if (!ReadHandlerCode(selector, out Descriptor code))
            return Stopped;
        if (!code.Long || code.Big)
            return RaiseSelector(ExceptionVector.GeneralProtection, selector);
        if (!code.Present)
            return RaiseSelector(ExceptionVector.SegmentNotPresent, selector);
        uint level = code.IsConforming ? s->Cpl : code.Dpl;
        bool inner = level < s->Cpl;
        ulong rsp = s->General[4];
        if ((inner || gate.GateStack != 0)
            && !ReadLongStack(gate.GateStack != 0 ? 0x1C + (8U * (uint)gate.GateStack) : 4 + (8 * level), out rsp))
            return Stopped;
        StackCursor stack = new()
        {
            Pointer = rsp & ~15UL,
            Mask = ulong.MaxValue,
            Flat = true,
            User = level == 3,
            ErrorCode = _externalEvent,
        };
        ulong target = gate.GateOffset;
        if (!IsCanonical(target))
        {
            FailNull(ExceptionVector.GeneralProtection);
            return Stopped;
        }
        if (!MarkAccessed(ref code)
            || !Reserve(ref stack, e.HasErrorCode ? 48 : 40)
            || !Push(ref stack, s->Segments[SegmentIndex.Ss].Selector, 8)
            || !Push(ref stack, s->General[4], 8)
            || !Push(ref stack, flags, 8)
            || !Push(ref stack, s->Segments[SegmentIndex.Cs].Selector, 8)
            || !Push(ref stack, returnRip, 8)
            || (e.HasErrorCode && !Push(ref stack, e.ErrorCode, 8)))
            return Stopped;
        s->General[4] = stack.Pointer;
        if (inner)
            s->Segments[SegmentIndex.Ss] = NullStack((ushort)level);
        ClearHandlerFlags(gate.Type == SystemDescriptorType.InterruptGate32);
        return CommitCode(in code, selector, level, target);
    }

    /// <summary>
    /// Reads a stack pointer of a 64-bit TSS (SDM Vol. 3A 8.7). False: #TS(TR), #SS for one that is not canonical, or stopped.
    /// </summary>
    private bool ReadLongStack(uint offset, out ulong rsp)
    {
        ref SegmentRegister tr = ref State->Segments[SegmentIndex.Tr];
        rsp = 0;
        if (tr.Unusable || offset + 7 > tr.Limit)
            return FailSelector(ExceptionVector.InvalidTss, tr.Selector);
        if (!ReadSystem(tr.Base + offset, out rsp))
            return false;
        return IsCanonical(rsp) || FailNull(ExceptionVector.StackFault);
    }

    /// <summary>Reads and checks the code segment of an interrupt or trap gate; presence is left to the caller. False: stopped.</summary>
    private bool ReadHandlerCode(ushort selector, out Descriptor code)
    {
        code = default;
        if (IsNull(selector))
            return FailNull(ExceptionVector.GeneralProtection);
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out code))
            return false;
        return (code.IsCode && code.Dpl <= State->Cpl) || FailSelector(ExceptionVector.GeneralProtection, selector);
    }

    private void ClearHandlerFlags(bool interruptGate) =>
        State->FlagsSystem &= ~(LazyFlags.Tf | LazyFlags.Nt | LazyFlags.Rf | LazyFlags.Vm | (interruptGate ? LazyFlags.If : 0));
}
