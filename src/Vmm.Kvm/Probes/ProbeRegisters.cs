namespace Vmm.Kvm.Probes;

/// <summary>The registers that a probe's guest starts with.</summary>
internal static class ProbeRegisters
{
    public const ulong ProtectedCr0 = 0x33, PagedCr0 = 0x8001_0033;
    private const ulong Cr4 = 0x600; // OSFXSR, OSXMMEXCPT

    /// <summary>Changes the registers of a processor at rest to those of the start; RBX points at <see cref="ProbeLayout.Data"/>.</summary>
    public static void Fill(ref ProcessorState state, LimitProbe probe)
    {
        ProbeMode mode = probe.Mode;
        bool user = IsUser(mode);
        state.General = new GeneralRegisters
        {
            Rip = ProbeLayout.Code, Rsp = ProbeLayout.Stack, Rbx = ProbeLayout.Data, Rflags = user ? 0x3002UL : 2, // IOPL 3: ports for all
        };
        state.Debug = new DebugRegisters { Dr0 = probe.Breakpoint.Address, Dr6 = 0xFFFF_0FF0, Dr7 = 0x400 | probe.Breakpoint.Control };
        state.Segments = Segments(mode, user, probe.VectorLimit);
        bool paged = mode is ProbeMode.Paged32 or ProbeMode.Pae || ProbeImage.IsLong(mode);
        state.Control.Cr0 = mode == ProbeMode.Real ? ProtectedCr0 & ~1UL : paged ? PagedCr0 : ProtectedCr0;
        state.Control.Cr2 = 0;
        state.Control.Cr3 = mode switch
        {
            ProbeMode.Paged32 => ProbeLayout.Tables32,
            ProbeMode.Pae => ProbeLayout.PaeTables,
            _ => paged ? ProbeLayout.LongTables : 0UL,
        };
        state.Control.Cr4 = Cr4 | (mode == ProbeMode.Paged32 ? 0x10UL : paged ? 0x20UL : 0);
        state.Control.Cr8 = 0;
        if (probe.LocalApic == LocalApicMode.X2Apic)
            state.Control.ApicBase |= 0xC00;
        state.Control.Efer = ProbeImage.IsLong(mode) ? 0xD01UL : 0; // NXE, LMA, LME, SCE
    }

    public static bool IsUser(ProbeMode mode) => mode is ProbeMode.Protected32User or ProbeMode.LongUser or ProbeMode.CompatibilityUser;

    private static SegmentRegisters Segments(ProbeMode mode, bool user, ushort? limit)
    {
        SegmentDescriptor nothing = new(0, 0, 0, SegmentDescriptor.Unusable);
        TableDescriptor table = new(ProbeLayout.DescriptorTable, 0x5F);
        if (mode == ProbeMode.Real)
        {
            SegmentDescriptor zero = SegmentDescriptor.RealModeData(0);
            return new SegmentRegisters
            {
                Cs = SegmentDescriptor.RealModeCode(0), Ss = zero, Ds = zero, Es = zero, Fs = zero, Gs = zero,
                Ldtr = new SegmentDescriptor(0, 0, 0xFFFF, 0x82), Tr = new SegmentDescriptor(0, 0, 0xFFFF, 0x8B),
                Gdtr = table, Idtr = new TableDescriptor(0, limit ?? 0x3FF),
            };
        }
        bool wide = ProbeImage.IsLong(mode);
        uint level = user ? 0x60U : 0;
        SegmentDescriptor code = mode switch
        {
            ProbeMode.Protected16 => new(ProbeLayout.Code16, 0, 0xFFFF, 0x9B),
            ProbeMode.Long or ProbeMode.LongUser => new(user ? ProbeLayout.UserCode64 : ProbeLayout.Code64, 0, uint.MaxValue, 0xA09B | level),
            _ => new(user ? ProbeLayout.UserCode32 : ProbeLayout.Code32, 0, uint.MaxValue, 0xC09B | level),
        };
        SegmentDescriptor data = mode == ProbeMode.Protected16
            ? new(ProbeLayout.Data16, 0, 0xFFFF, 0x93)
            : new(user ? ProbeLayout.UserData : ProbeLayout.Data0, 0, uint.MaxValue, 0xC093 | level);
        return new SegmentRegisters
        {
            Cs = code, Ss = data, Ds = data, Es = data, Fs = data, Gs = data, Ldtr = nothing,
            Tr = new SegmentDescriptor(ProbeLayout.TaskState, wide ? ProbeLayout.TaskState64 : (ulong)ProbeLayout.TaskState32, ProbeLayout.TaskStateLimit, 0x8B),
            Gdtr = table, Idtr = new TableDescriptor(ProbeLayout.VectorTable, limit ?? (wide ? (ushort)0xFFF : (ushort)0x7FF)),
        };
    }
}
