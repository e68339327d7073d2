namespace Vmm.Hostile.Guests;

/// <summary>Registers that a hostile guest starts with.</summary>
public static class HostileState
{
    /// <summary>A state of the mode with random general registers, most of them pointing somewhere in memory.</summary>
    public static ProcessorState Make(HostileMode mode, ProcessorState state, bool v2, Random random)
    {
        bool real = mode is HostileMode.Real or HostileMode.Virtual8086;
        bool user = mode is HostileMode.ProtectedUser or HostileMode.PagedUser or HostileMode.LongUser;
        bool wide = mode >= HostileMode.Long;
        Span<ulong> general = stackalloc ulong[16];
        for (int i = 0; i < 16; i++)
            general[i] = Value(real, random);
        uint flags = 2 | ((uint)random.Next(0x1000) & 0xED5) | (random.Next(2) == 0 ? 0x3000U : 0) | (random.Next(30) == 0 ? 0x100U : 0);
        flags |= mode == HostileMode.Virtual8086 ? 0x2_0000U : random.Next(8) == 0 ? 0x4_0000U : 0;
        state.General = new GeneralRegisters
        {
            Rax = general[0], Rcx = random.Next(2) == 0 ? general[1] : (ulong)random.Next(20), Rdx = general[2], Rbx = general[3],
            Rsp = real ? 0xF000UL : 0x1_F000, Rbp = general[5], Rsi = general[6], Rdi = general[7],
            R8 = general[8], R9 = general[9], R10 = general[10], R11 = general[11], R12 = general[12], R13 = general[13],
            R14 = general[14], R15 = general[15],
            Rip = HostileLayout.Code + (ulong)random.Next(0x4000), Rflags = flags,
        };
        state.Segments = Segments(real, user, wide, mode, random);
        bool paged = mode is >= HostileMode.Paged or HostileMode.Virtual8086;
        ulong protections = (random.Next(3) == 0 ? 0x1_0000UL : 0) | (random.Next(8) == 0 ? 8UL : 0) | (random.Next(12) == 0 ? 4UL : 0);
        state.Control.Cr0 = (mode == HostileMode.Real ? 0x32UL : paged ? 0x8000_0033 : 0x33) | protections;
        state.Control.Cr3 = mode switch
        {
            HostileMode.Virtual8086 or HostileMode.Paged or HostileMode.PagedUser => HostileLayout.Tables32,
            HostileMode.Pae => HostileLayout.PaePointers,
            _ => wide ? HostileLayout.LongTables : 0,
        };
        ulong extensions = v2 && random.Next(2) == 0 ? 0x4_0000UL | ((ulong)random.Next(8) << 11 & 0x800) | (random.Next(4) == 0
            ? 0x30_0000UL : 0) : 0;
        state.Control.Cr4 = 0x600UL | (wide || mode == HostileMode.Pae ? 0x20UL : paged ? 0x10UL : 0) | extensions | (wide
            && random.Next(3) == 0 ? 0x80UL : 0);
        state.Control.Efer = wide ? 0xD01UL : mode == HostileMode.Pae ? 0x800UL : 0;
        return state;
    }

    private static ulong Value(bool real, Random random)
    {
        ulong page = random.Next(8) switch
        {
            0 => HostileLayout.Hole,
            1 => HostileLayout.ReadOnly,
            2 => HostileLayout.Code,
            3 => HostileLayout.End - 0x1000,
            4 => HostileLayout.NoExecute,
            _ => HostileLayout.Data,
        };
        return random.Next(12) switch
        {
            0 => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            1 => (ulong)random.Next(64),
            2 => 0xFEE0_0000 + ((ulong)random.Next(64) << 4),
            3 => page + 0xFF8 + (ulong)random.Next(16),
            4 => 0xFFFF_FF80_0000_0000 + page,
            _ => real ? (ulong)random.Next(0x1_0000) : page + (ulong)random.Next(0x1_0000),
        };
    }

    private static SegmentRegisters Segments(bool real, bool user, bool wide, HostileMode mode, Random random)
    {
        TableDescriptor gdt = new(HostileLayout.Gdt, 0x1FF);
        ushort task = wide ? (ushort)0x67 : (ushort)random.Next(0x60, 0x1000);
        SegmentDescriptor taskState = new(0x48, wide ? HostileLayout.Tss64 : HostileLayout.Tss32, task, 0x8B);
        if (real)
        {
            uint level = mode == HostileMode.Virtual8086 ? 0x60U : 0;
            SegmentDescriptor data = new(0x1000, 0x1_0000, 0xFFFF, 0x93 | level);
            SegmentDescriptor far = new(0x9F00, 0x9_F000, 0xFFFF, 0x93 | level);
            return new SegmentRegisters
            {
                Cs = new SegmentDescriptor(0, 0, 0xFFFF, level == 0 ? 0x9BU : 0xF3), Ss = data, Ds = random.Next(3) == 0 ? far : data,
                Es = far, Fs = data, Gs = far,
                Ldtr = new SegmentDescriptor(0, 0, 0xFFFF, 0x82), Tr = taskState, Gdtr = gdt,
                Idtr = level == 0 ? new TableDescriptor(0, 0x3FF) : new TableDescriptor(HostileLayout.Idt, 0x7FF),
            };
        }
        uint privilege = user ? 0x60U : 0;
        SegmentDescriptor code = mode is HostileMode.Long or HostileMode.LongUser
            ? new(user ? (ushort)0x33 : (ushort)0x08, 0, uint.MaxValue, 0xA09B | privilege)
            : new(user ? (ushort)0x23 : (ushort)0x18, 0, uint.MaxValue, 0xC09B | privilege);
        SegmentDescriptor flat = new(user ? (ushort)0x2B : (ushort)0x10, 0, uint.MaxValue, 0xC093 | privilege);
        SegmentDescriptor small = flat with { Base = HostileLayout.Data, Limit = (uint)random.Next(0x1_0000),
            Attributes = 0x4093 | privilege };
        return new SegmentRegisters
        {
            Cs = code, Ss = flat, Ds = flat, Es = flat, Fs = random.Next(2) == 0 ? flat : small, Gs = small,
            Ldtr = new SegmentDescriptor(0x70, 0x2000, 0x7F, 0x82), Tr = taskState, Gdtr = gdt,
            Idtr = new TableDescriptor(HostileLayout.Idt, wide ? (ushort)0xFFF : (ushort)0x7FF),
        };
    }
}
