namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const uint Virtual8086Data = 0xF3;

    /// <summary>
    /// Loads ES, SS, DS, FS or GS as MOV, POP and the far-pointer loads do (SDM Vol. 2B MOV). The mode is recomputed. False: nothing
    /// loaded, an exception recorded or an exit asked for.
    /// </summary>
    public bool LoadSegment(int index, ushort selector)
    {
        if (!UsesDescriptors)
            LoadFlatParagraph(index, selector);
        else if (index == SegmentIndex.Ss ? !LoadStackSegment(selector) : !LoadDataSegment(index, selector))
            return false;
        if (index <= SegmentIndex.Ds)
            UpdateMode();
        return true;
    }

    /// <summary>Real and virtual-8086 mode: the base is the selector times 16; real mode leaves limit and rights alone.</summary>
    private void LoadFlatParagraph(int index, ushort selector)
    {
        ref SegmentRegister segment = ref State->Segments[index];
        segment.Selector = selector;
        segment.Base = (ulong)selector << 4;
        if ((State->FlagsSystem & LazyFlags.Vm) != 0)
        {
            segment.Limit = 0xFFFF;
            segment.Attributes = Virtual8086Data;
        }
    }

    private bool LoadDataSegment(int index, ushort selector)
    {
        VcpuState* s = State;
        if (IsNull(selector))
        {
            s->Segments[index] = NullSegment(selector);
            return true;
        }
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out Descriptor descriptor))
            return false;
        bool bound = !descriptor.IsConforming && ((selector & 3U) > descriptor.Dpl || s->Cpl > descriptor.Dpl);
        if (!descriptor.IsReadable || bound)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        if (!descriptor.Present)
            return FailSelector(ExceptionVector.SegmentNotPresent, selector);
        if (!MarkAccessed(ref descriptor))
            return false;
        s->Segments[index] = descriptor.ToSegment(selector);
        return true;
    }

    private bool LoadStackSegment(ushort selector)
    {
        VcpuState* s = State;
        if (IsNull(selector))
        {
            if (!Is64Bit || s->Cpl == 3 || (selector & 3U) != s->Cpl)
                return FailNull(ExceptionVector.GeneralProtection);
            s->Segments[SegmentIndex.Ss] = NullStack(selector);
            return true;
        }
        if (!ReadStackDescriptor(selector, s->Cpl, ExceptionVector.GeneralProtection, out Descriptor descriptor)
            || !MarkAccessed(ref descriptor))
            return false;
        s->Segments[SegmentIndex.Ss] = descriptor.ToSegment(selector);
        return true;
    }

    /// <summary>
    /// Checks a descriptor for SS at a privilege level: <paramref name="vector"/>(selector), or #SS(selector) when it is not present.
    /// </summary>
    private bool ReadStackDescriptor(ushort selector, uint level, int vector, out Descriptor descriptor)
    {
        if (!ReadDescriptor(selector, vector, out descriptor))
            return false;
        if ((selector & 3U) != level || !descriptor.IsWritableData || descriptor.Dpl != level)
            return FailSelector(vector, selector);
        return descriptor.Present || FailSelector(ExceptionVector.StackFault, selector);
    }

    private static SegmentRegister NullSegment(ushort selector) => new() { Selector = selector, Attributes = SegmentRegister.UnusableBit };

    // A null SS in 64-bit mode keeps the privilege level it stands for.
    private static SegmentRegister NullStack(ushort selector) =>
        new() { Selector = selector, Attributes = SegmentRegister.UnusableBit | ((selector & 3U) << 5) };

    /// <summary>LLDT or LTR. False: stopped.</summary>
    internal bool LoadSystemSegment(bool task, ushort selector) => task ? LoadTaskRegister(selector) : LoadLdtr(selector);

    /// <summary>LLDT (SDM Vol. 2A). False: stopped.</summary>
    private bool LoadLdtr(ushort selector)
    {
        if (IsNull(selector))
        {
            State->Segments[SegmentIndex.Ldtr] = NullSegment(selector);
            return true;
        }
        if ((selector & 4) != 0)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out Descriptor descriptor))
            return false;
        if (descriptor.IsCodeOrData || descriptor.Type != SystemDescriptorType.Ldt)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        if (!descriptor.Present)
            return FailSelector(ExceptionVector.SegmentNotPresent, selector);
        if (IsLongMode && !ExtendDescriptor(selector, ExceptionVector.GeneralProtection, ref descriptor))
            return false;
        if (!IsCanonicalBase(descriptor.Base))
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        State->Segments[SegmentIndex.Ldtr] = descriptor.ToSegment(selector);
        return true;
    }

    /// <summary>LTR (SDM Vol. 2A): the descriptor becomes busy. False: stopped.</summary>
    private bool LoadTaskRegister(ushort selector)
    {
        if (IsNull(selector))
            return FailNull(ExceptionVector.GeneralProtection);
        if ((selector & 4) != 0)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out Descriptor descriptor))
            return false;
        bool available = descriptor.Type == SystemDescriptorType.AvailableTss32
            || (descriptor.Type == SystemDescriptorType.AvailableTss16 && !IsLongMode);
        if (descriptor.IsCodeOrData || !available)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        if (!descriptor.Present)
            return FailSelector(ExceptionVector.SegmentNotPresent, selector);
        if (IsLongMode && !ExtendDescriptor(selector, ExceptionVector.GeneralProtection, ref descriptor))
            return false;
        if (!IsCanonicalBase(descriptor.Base))
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        descriptor = descriptor with { Low = descriptor.Low | (1UL << 41) };
        if (!ChangeSystem(descriptor.Address + 5, 2, 0))
            return false;
        State->Segments[SegmentIndex.Tr] = descriptor.ToSegment(selector);
        return true;
    }
}
