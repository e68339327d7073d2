namespace Vmm.X86.Execution;

/// <summary>Between the register groups of the public contract and the state block.</summary>
// SAFETY: the state block is alive for the call; register indices are constants of the encoding.
public static unsafe class StateTransfer
{
    /// <summary>Reads the general registers.</summary>
    public static GeneralRegisters GetGeneral(VcpuState* s) => new()
    {
        Rax = s->General[0], Rcx = s->General[1], Rdx = s->General[2], Rbx = s->General[3], Rsp = s->General[4], Rbp = s->General[5],
        Rsi = s->General[6], Rdi = s->General[7], R8 = s->General[8], R9 = s->General[9], R10 = s->General[10], R11 = s->General[11],
        R12 = s->General[12], R13 = s->General[13], R14 = s->General[14], R15 = s->General[15], Rip = s->Rip, Rflags = LazyFlags.Get(s),
    };

    /// <summary>Writes the general registers.</summary>
    public static void SetGeneral(VcpuState* s, in GeneralRegisters value)
    {
        ReadOnlySpan<ulong> registers =
        [
            value.Rax, value.Rcx, value.Rdx, value.Rbx, value.Rsp, value.Rbp, value.Rsi, value.Rdi, value.R8, value.R9, value.R10, value.R11, value.R12,
            value.R13, value.R14, value.R15,
        ];
        for (int i = 0; i < 16; i++)
            s->General[i] = registers[i];
        s->Rip = value.Rip;
        LazyFlags.Set(s, value.Rflags);
    }

    /// <summary>Reads the segment and table registers.</summary>
    public static SegmentRegisters GetSegments(VcpuState* s) => new()
    {
        Es = Get(s, SegmentIndex.Es), Cs = Get(s, SegmentIndex.Cs), Ss = Get(s, SegmentIndex.Ss), Ds = Get(s, SegmentIndex.Ds),
        Fs = Get(s, SegmentIndex.Fs), Gs = Get(s, SegmentIndex.Gs), Ldtr = Get(s, SegmentIndex.Ldtr), Tr = Get(s, SegmentIndex.Tr),
        Gdtr = new TableDescriptor(s->Gdtr.Base, (ushort)s->Gdtr.Limit), Idtr = new TableDescriptor(s->Idtr.Base, (ushort)s->Idtr.Limit),
    };

    /// <summary>Writes the segment and table registers.</summary>
    public static void SetSegments(VcpuState* s, in SegmentRegisters value)
    {
        Set(s, SegmentIndex.Es, value.Es);
        Set(s, SegmentIndex.Cs, value.Cs);
        Set(s, SegmentIndex.Ss, value.Ss);
        Set(s, SegmentIndex.Ds, value.Ds);
        Set(s, SegmentIndex.Fs, value.Fs);
        Set(s, SegmentIndex.Gs, value.Gs);
        Set(s, SegmentIndex.Ldtr, value.Ldtr);
        Set(s, SegmentIndex.Tr, value.Tr);
        s->Gdtr = new TableRegister { Base = value.Gdtr.Base, Limit = value.Gdtr.Limit };
        s->Idtr = new TableRegister { Base = value.Idtr.Base, Limit = value.Idtr.Limit };
    }

    /// <summary>Reads the control registers.</summary>
    public static ControlRegisters GetControl(VcpuState* s) => new()
    {
        Cr0 = s->Cr0, Cr2 = s->Cr2, Cr3 = s->Cr3, Cr4 = s->Cr4, Cr8 = s->Cr8, Xcr0 = s->Xcr0, Efer = s->Efer, ApicBase = s->ApicBase,
    };

    /// <summary>Reads the debug registers.</summary>
    public static DebugRegisters GetDebug(VcpuState* s) => new()
    {
        Dr0 = s->Debug[0], Dr1 = s->Debug[1], Dr2 = s->Debug[2], Dr3 = s->Debug[3], Dr6 = s->Debug[6], Dr7 = s->Debug[7],
    };

    /// <summary>Writes the debug registers; fixed bits keep their values.</summary>
    public static void SetDebug(VcpuState* s, in DebugRegisters value)
    {
        s->Debug[0] = value.Dr0;
        s->Debug[1] = value.Dr1;
        s->Debug[2] = value.Dr2;
        s->Debug[3] = value.Dr3;
        s->Debug[6] = (value.Dr6 & 0xFFFF) | 0xFFFF_0FF0;
        s->Debug[7] = (value.Dr7 & 0xFFFF_2FFF) | 0x400;
    }

    private static SegmentDescriptor Get(VcpuState* s, int index)
    {
        ref SegmentRegister register = ref s->Segments[index];
        return new SegmentDescriptor(register.Selector, register.Base, register.Limit, register.Attributes);
    }

    private static void Set(VcpuState* s, int index, SegmentDescriptor value) => s->Segments[index] = new SegmentRegister
    {
        Selector = value.Selector,
        Base = value.Base,
        Limit = value.Limit,
        Attributes = value.Attributes & 0x1_F0FF,
    };
}
