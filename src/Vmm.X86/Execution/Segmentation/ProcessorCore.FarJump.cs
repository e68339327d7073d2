namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>JMP to a far pointer (SDM Vol. 2A JMP).</summary>
    internal Outcome FarJump(ushort selector, ulong offset, ulong nextRip)
    {
        if (!UsesDescriptors)
            return CheckParagraphTarget(offset) ? CommitParagraph(selector, offset) : Stopped;
        if (IsNull(selector))
            return RaiseGeneralProtection();
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out Descriptor descriptor))
            return Stopped;
        bool throughGate = false;
        if (!descriptor.IsCodeOrData)
        {
            if (!IsCallGate(in descriptor))
                return TransferToTask(selector, descriptor, TaskSwitchKind.Jump, nextRip);
            if (!OpenCallGate(selector, ref descriptor, out ushort target, out offset)
                || !ReadDescriptor(target, ExceptionVector.GeneralProtection, out descriptor))
                return Stopped;
            selector = target;
            throughGate = true;
        }
        if (throughGate && IsLongMode && (!descriptor.Long || descriptor.Big))
            return RaiseSelector(ExceptionVector.GeneralProtection, selector);
        if (!CheckSameLevelCode(selector, in descriptor, throughGate) || !CheckTarget(in descriptor, offset)
            || !MarkAccessed(ref descriptor))
            return Stopped;
        return CommitCode(in descriptor, selector, State->Cpl, offset);
    }

    /// <summary>
    /// Whether a system descriptor is a call gate that the mode knows: 16 and 32 bits in legacy mode, 64 bits in IA-32e mode.
    /// </summary>
    private bool IsCallGate(in Descriptor descriptor) =>
        descriptor.Type == SystemDescriptorType.CallGate32 || (descriptor.Type == SystemDescriptorType.CallGate16 && !IsLongMode);

    /// <summary>Checks a call gate's own rights and reads where it leads (SDM Vol. 3A 5.8.4). False: stopped.</summary>
    private bool OpenCallGate(ushort selector, ref Descriptor gate, out ushort target, out ulong offset)
    {
        target = gate.GateSelector;
        offset = 0;
        if (gate.Dpl < State->Cpl || gate.Dpl < (selector & 3U))
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        if (IsLongMode && !ExtendDescriptor(selector, ExceptionVector.GeneralProtection, ref gate))
            return false;
        if (!gate.Present)
            return FailSelector(ExceptionVector.SegmentNotPresent, selector);
        offset = gate.Type == SystemDescriptorType.CallGate16 ? (ushort)gate.Low | 0UL : gate.GateOffset;
        return !IsNull(target) || FailNull(ExceptionVector.GeneralProtection);
    }
}
