using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// XSAVE, XSAVEOPT and XRSTOR in the standard format, for x87, SSE and AVX state (SDM Vol. 1 13.7 to 13.9). Every enabled state counts as
/// in use,
/// so XSAVEOPT saves what XSAVE does.
/// </summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and a local buffer of the largest area's size.
internal static unsafe class XsaveInstructions
{
    private const ulong X87 = 1, Sse = 2, Avx = 4, Known = X87 | Sse | Avx;
    private const int HeaderOffset = 512, UpperOffset = 576, AreaSize = 832;

    public static void Register(InstructionTable table)
    {
        table.Set(Code.Xsave_mem, &Save);
        table.Set(Code.Xsave64_mem, &Save);
        table.Set(Code.Xsaveopt_mem, &Save);
        table.Set(Code.Xsaveopt64_mem, &Save);
        table.Set(Code.Xrstor_mem, &Restore);
        table.Set(Code.Xrstor64_mem, &Restore);
    }

    private static Outcome Save(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong requested = Requested(s);
        int size = (requested & Avx) != 0 ? AreaSize : UpperOffset;
        if (!Address(cpu, s, i, size, true, out ulong linear) || !cpu.Read((linear + HeaderOffset) & cpu.LinearMask, out ulong present)
            || !cpu.ProbeWrite(linear, size))
            return cpu.Stopped;
        int registers = FxsaveInstructions.VectorCount(cpu);
        byte* area = stackalloc byte[AreaSize];
        *(uint*)(area + LegacyStateArea.MxcsrOffset) = s->Mxcsr;
        *(uint*)(area + LegacyStateArea.MxcsrOffset + 4) = LegacyStateArea.MxcsrMask;
        bool saved = true;
        if ((requested & X87) != 0)
        {
            LegacyStateArea.SaveX87(s, area, i->Code is Code.Xsave64_mem or Code.Xsaveopt64_mem);
            saved = cpu.WriteBytes(linear, area, LegacyStateArea.MxcsrOffset)
                && Write(cpu, linear, area, LegacyStateArea.StackOffset, LegacyStateArea.XmmOffset);
        }

        if (saved && (requested & (Sse | Avx)) != 0)
            saved = Write(cpu, linear, area, LegacyStateArea.MxcsrOffset, LegacyStateArea.StackOffset);
        if (saved && (requested & Sse) != 0)
        {
            LegacyStateArea.SaveVectors(s, area + LegacyStateArea.XmmOffset, 0, registers);
            saved = Write(cpu, linear, area, LegacyStateArea.XmmOffset, LegacyStateArea.XmmOffset + (16 * registers));
        }

        if (saved && (requested & Avx) != 0)
        {
            LegacyStateArea.SaveVectors(s, area + UpperOffset, 1, registers);
            saved = Write(cpu, linear, area, UpperOffset, UpperOffset + (16 * registers));
        }

        return saved && cpu.Write((linear + HeaderOffset) & cpu.LinearMask, present | requested) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome Restore(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong requested = Requested(s);
        int size = (requested & Avx) != 0 ? AreaSize : UpperOffset;
        byte* area = stackalloc byte[AreaSize];
        if (!Address(cpu, s, i, size, false, out ulong linear) || !cpu.ReadBytes(linear, area, size))
            return cpu.Stopped;
        ulong* header = (ulong*)(area + HeaderOffset);
        uint mxcsr = *(uint*)(area + LegacyStateArea.MxcsrOffset);
        bool loadsMxcsr = (requested & (Sse | Avx)) != 0;
        // No compaction here: all of XCOMP_BV and the eight bytes after it must be zero.
        if ((header[0] & ~s->Xcr0) != 0 || header[1] != 0 || header[2] != 0 || (loadsMxcsr && (mxcsr & ~LegacyStateArea.MxcsrMask) != 0))
            return cpu.RaiseGeneralProtection();
        ulong present = header[0];
        int registers = FxsaveInstructions.VectorCount(cpu);
        if ((requested & present & X87) != 0)
            LegacyStateArea.LoadX87(s, area, i->Code == Code.Xrstor64_mem);
        else if ((requested & X87) != 0)
            ResetX87(s);
        if (loadsMxcsr)
            s->Mxcsr = mxcsr;
        if ((requested & Sse) != 0)
            LegacyStateArea.LoadVectors(s, (present & Sse) != 0 ? area + LegacyStateArea.XmmOffset : null, 0, registers);
        if ((requested & Avx) != 0)
            LegacyStateArea.LoadVectors(s, (present & Avx) != 0 ? area + UpperOffset : null, 1, registers);
        return Outcome.Next;
    }

    /// <summary>XCR0 and EDX:EAX.</summary>
    private static ulong Requested(VcpuState* s) => s->Xcr0 & Known & ((uint)s->General[0] | (s->General[2] << 32));

    private static bool Address(ProcessorCore cpu, VcpuState* s, Instruction* i, int size, bool write, out ulong linear)
    {
        linear = 0;
        if ((s->Cr4 & Cr4Bits.OsXsave) == 0)
        {
            cpu.RaiseInvalidOpcode();
            return false;
        }

        if ((s->Cr0 & Cr0Bits.TaskSwitched) != 0)
        {
            cpu.Raise(ExceptionVector.DeviceNotAvailable);
            return false;
        }

        if (!Operands.Linear(cpu, i, size, write, out linear))
            return false;
        if ((linear & 63) == 0)
            return true;
        cpu.RaiseGeneralProtection();
        return false;
    }

    private static bool Write(ProcessorCore cpu, ulong linear, byte* area, int from, int to) =>
        cpu.WriteBytes((linear + (ulong)from) & cpu.LinearMask, area + from, to - from);

    private static void ResetX87(VcpuState* s)
    {
        X87ControlInstructions.Initialize(s);
        for (int i = 0; i < 16; i++)
            s->Fpu[i] = 0;
    }
}
