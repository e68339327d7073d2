namespace Vmm.X86.Execution;

/// <summary>
/// Refuses register values that no instruction could have put there, naming the register (SDM Vol. 3C 27.3.1 has the same list).
/// </summary>
public static class StateCheck
{
    private const ulong Cr0Reserved = ~0xE005_003FUL;

    /// <summary>What a client sets, all of it before any is taken.</summary>
    /// <exception cref="ArgumentException">A value is impossible; the message names the register.</exception>
    public static void Groups(RegisterGroups groups, in ProcessorState state, CpuidModel model)
    {
        if ((groups & RegisterGroups.General) != 0)
            General(in state.General);
        if ((groups & RegisterGroups.Segments) != 0)
            Segments(in state.Segments, model);
        if ((groups & RegisterGroups.Control) != 0)
            Control(in state.Control, model);
        if ((groups & RegisterGroups.Debug) != 0)
            Debug(in state.Debug);
        if ((groups & RegisterGroups.Events) != 0)
            Events(in state.Events);
    }

    /// <summary>Control registers and EFER, by the CPU model.</summary>
    private static void Control(in ControlRegisters control, CpuidModel model)
    {
        if ((control.Cr0 & Cr0Reserved) != 0)
            throw Refuse("CR0", control.Cr0, "reserved bits are set");
        if ((control.Cr0 & (Cr0Bits.Paging | Cr0Bits.ProtectionEnable)) == Cr0Bits.Paging)
            throw Refuse("CR0", control.Cr0, "PG needs PE");
        if ((control.Cr0 & (Cr0Bits.NotWriteThrough | Cr0Bits.CacheDisable)) == Cr0Bits.NotWriteThrough)
            throw Refuse("CR0", control.Cr0, "NW needs CD");
        if ((control.Cr4 & ~model.Cr4Allowed) != 0)
            throw Refuse("CR4", control.Cr4, $"the CPU profile allows only 0x{model.Cr4Allowed:X}");
        if ((control.Efer & ~(model.EferAllowed | EferBits.LongModeActive)) != 0)
            throw Refuse("EFER", control.Efer, $"the CPU profile allows only 0x{model.EferAllowed | EferBits.LongModeActive:X}");
        bool active = (control.Cr0 & Cr0Bits.Paging) != 0 && (control.Efer & EferBits.LongModeEnable) != 0;
        if ((control.Efer & EferBits.LongModeActive) != 0 && !active)
            throw Refuse("EFER", control.Efer, "LMA needs LME and CR0.PG");
        if (active && (control.Cr4 & Cr4Bits.PhysicalAddressExtension) == 0)
            throw Refuse("CR4", control.Cr4, "IA-32e mode needs PAE");
        if (control.Cr3 >> model.PhysicalAddressBits != 0)
            throw Refuse("CR3", control.Cr3, $"the physical address has {model.PhysicalAddressBits} bits");
        if (control.Cr8 > 15)
            throw Refuse("CR8", control.Cr8, "the task priority has 4 bits");
        if ((control.Xcr0 & 1) == 0 || (control.Xcr0 & ~(model.SupportedXcr0 | 1)) != 0)
            throw Refuse("XCR0", control.Xcr0, $"the CPU profile allows only 0x{model.SupportedXcr0 | 1:X}, with bit 0 set");
    }

    /// <summary>Bases of segments and tables.</summary>
    private static void Segments(in SegmentRegisters segments, CpuidModel model)
    {
        Base(model, "FS", segments.Fs.Base);
        Base(model, "GS", segments.Gs.Base);
        Base(model, "LDTR", segments.Ldtr.Base);
        Base(model, "TR", segments.Tr.Base);
        Base(model, "GDTR", segments.Gdtr.Base);
        Base(model, "IDTR", segments.Idtr.Base);
        Narrow("CS", segments.Cs.Base);
        Narrow("SS", segments.Ss.Base);
        Narrow("DS", segments.Ds.Base);
        Narrow("ES", segments.Es.Base);
    }

    /// <summary>Debug registers.</summary>
    private static void Debug(in DebugRegisters debug)
    {
        if (debug.Dr6 >> 32 != 0)
            throw Refuse("DR6", debug.Dr6, "the upper half must be clear");
        if (debug.Dr7 >> 32 != 0)
            throw Refuse("DR7", debug.Dr7, "the upper half must be clear");
    }

    /// <summary>RFLAGS.</summary>
    private static void General(in GeneralRegisters general)
    {
        if (general.Rflags >> 22 != 0)
            throw Refuse("RFLAGS", general.Rflags, "reserved bits are set");
    }

    /// <summary>Activity and shadow.</summary>
    private static void Events(in EventState events)
    {
        if (events.Activity > ProcessorActivity.Shutdown)
            throw new ArgumentException($"{events.Activity} is no activity.");
        if (events.Shadow > InterruptibilityShadow.MovSs)
            throw new ArgumentException($"{events.Shadow} is no shadow.");
        if (events.HasPending)
            Event(in events.Pending);
        if (events.HasDelivering)
            Event(in events.Delivering);
    }

    private static void Event(in InjectedEvent injected)
    {
        if (injected.Kind > InjectedEventKind.Exception)
            throw new ArgumentException($"{injected.Kind} is no kind of event.");
        if (injected.Kind == InjectedEventKind.Exception && injected.Vector is > 31 or 2)
            throw new ArgumentException($"An exception has a vector from 0 to 31, and not 2, an NMI's: {injected.Vector}.");
    }

    private static void Base(CpuidModel model, string name, ulong value)
    {
        if (!model.IsCanonicalBase(value))
            throw Refuse($"{name} base", value, "it is not canonical");
    }

    private static void Narrow(string name, ulong value)
    {
        if (value >> 32 != 0)
            throw Refuse($"{name} base", value, "it has 32 bits");
    }

    private static ArgumentException Refuse(string register, ulong value, string reason) => new($"{register} cannot be 0x{value:X}: {reason}.");
}
