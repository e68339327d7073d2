using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>XSAVE, XSAVEOPT and XSAVEC, and XRSTOR of both formats (SDM Vol. 1 13.7 to 13.10).</summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and a local buffer in which every component
// has its place.
internal static unsafe class XsaveInstructions
{
    private const int HeaderOffset = 512, ExtendedOffset = 576;
    private const ulong X87 = XsaveStates.X87, Sse = XsaveStates.Sse, Avx = XsaveStates.Avx, Keys = 1UL << XsaveStates.KeyRights,
        CompactedFormat = 1UL << 63;

    public static void Register(InstructionTable table)
    {
        table.Set(Code.Xsave_mem, &Save);
        table.Set(Code.Xsave64_mem, &Save);
        table.Set(Code.Xsaveopt_mem, &SaveInUse);
        table.Set(Code.Xsaveopt64_mem, &SaveInUse);
        table.Set(Code.Xsavec_mem, &SaveCompacted);
        table.Set(Code.Xsavec64_mem, &SaveCompacted);
        table.Set(Code.Xrstor_mem, &Restore);
        table.Set(Code.Xrstor64_mem, &Restore);
    }

    private static Outcome Save(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong requested = Requested(cpu, s);
        return SaveStandard(cpu, s, i, requested, requested);
    }

    private static Outcome SaveInUse(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong requested = Requested(cpu, s);
        return SaveStandard(cpu, s, i, requested, requested & XsaveStates.InUse(cpu, s));
    }

    private static Outcome SaveStandard(ProcessorCore cpu, VcpuState* s, Instruction* i, ulong requested, ulong saved)
    {
        int size = ExtendedOffset;
        for (int state = XsaveStates.FirstExtended; state <= XsaveStates.Last; state++)
        {
            if (((saved >> state) & 1) != 0)
                size = Math.Max(size, cpu.Model.XsaveOffset(state) + XsaveStates.Size(state));
        }
        if (!Address(cpu, s, i, size, true, out ulong linear) || !cpu.Read(Part(cpu, linear, HeaderOffset), out ulong present)
            || !cpu.ProbeWrite(linear, size))
            return cpu.Stopped;
        byte* area = stackalloc byte[XsaveStates.BufferSize];
        if ((requested & (Sse | Avx)) != 0)
        {
            FillMxcsr(s, area);
            if (!Write(cpu, linear, area, LegacyStateArea.MxcsrOffset, LegacyStateArea.StackOffset))
                return cpu.Stopped;
        }
        if (!WriteLegacy(cpu, s, i, linear, area, saved))
            return cpu.Stopped;
        for (int state = XsaveStates.FirstExtended; state <= XsaveStates.Last; state++)
        {
            if (((saved >> state) & 1) != 0 && !WriteState(cpu, s, linear, area, state, cpu.Model.XsaveOffset(state)))
                return cpu.Stopped;
        }
        ulong header = (present & ~requested) | (requested & XsaveStates.InUse(cpu, s));
        return cpu.Write(Part(cpu, linear, HeaderOffset), header) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome SaveCompacted(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong requested = Requested(cpu, s), saved = requested & XsaveStates.InUse(cpu, s);
        if ((requested & Sse) != 0 && s->Mxcsr != XsaveStates.InitialMxcsr)
            saved |= Sse;
        if (!Address(cpu, s, i, ExtendedOffset, true, out ulong linear)
            || !cpu.ProbeWrite(linear, CompactedEnd(cpu, requested, saved)))
            return cpu.Stopped;
        byte* area = stackalloc byte[XsaveStates.BufferSize];
        if ((saved & Sse) != 0)
        {
            FillMxcsr(s, area);
            if (!Write(cpu, linear, area, LegacyStateArea.MxcsrOffset, LegacyStateArea.StackOffset))
                return cpu.Stopped;
        }
        if (!WriteLegacy(cpu, s, i, linear, area, saved))
            return cpu.Stopped;
        int next = ExtendedOffset;
        for (int state = XsaveStates.FirstExtended; state <= XsaveStates.Last; state++)
        {
            if (((requested >> state) & 1) == 0)
                continue;
            int offset = cpu.Model.AlignXsave(state, next);
            if (((saved >> state) & 1) != 0 && !WriteState(cpu, s, linear, area, state, offset))
                return cpu.Stopped;
            next = offset + XsaveStates.Size(state);
        }
        ((ulong*)(area + HeaderOffset))[0] = saved;
        ((ulong*)(area + HeaderOffset))[1] = requested | CompactedFormat;
        return Write(cpu, linear, area, HeaderOffset, HeaderOffset + 16) ? Outcome.Next : cpu.Stopped;
    }

    private static int CompactedEnd(ProcessorCore cpu, ulong present, ulong used)
    {
        int next = ExtendedOffset, end = ExtendedOffset;
        for (int state = XsaveStates.FirstExtended; state <= XsaveStates.Last; state++)
        {
            if (((present >> state) & 1) == 0)
                continue;
            next = cpu.Model.AlignXsave(state, next) + XsaveStates.Size(state);
            if (((used >> state) & 1) != 0)
                end = next;
        }
        return end;
    }

    private static Outcome Restore(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong requested = Requested(cpu, s);
        byte* area = stackalloc byte[XsaveStates.BufferSize];
        if (!Address(cpu, s, i, ExtendedOffset, false, out ulong linear) || !cpu.ReadBytes(linear, area, ExtendedOffset))
            return cpu.Stopped;
        ulong* header = (ulong*)(area + HeaderOffset);
        ulong present = header[0];
        bool compacted = (header[1] & CompactedFormat) != 0 && cpu.Has(CpuFeature.XsaveCompacted);
        bool reserved = (compacted ? ((header[1] & ~CompactedFormat & ~s->Xcr0) | (present & ~header[1])) != 0
            : ((present & ~s->Xcr0) | header[1]) != 0) || header[2] != 0;
        for (int word = 3; compacted && word < 8; word++)
            reserved |= header[word] != 0; // the standard form looks at bytes 23:8 only
        uint mxcsr = *(uint*)(area + LegacyStateArea.MxcsrOffset);
        bool loadsMxcsr = compacted ? (requested & present & Sse) != 0 : (requested & (Sse | Avx)) != 0;
        if (reserved || (loadsMxcsr && (mxcsr & ~LegacyStateArea.MxcsrMask) != 0))
            return cpu.RaiseGeneralProtection();
        if (!ReadStates(cpu, linear, area, requested & present, compacted ? header[1] : 0))
            return cpu.Stopped;
        int registers = FxsaveInstructions.VectorCount(cpu);
        if ((requested & present & X87) != 0)
            LegacyStateArea.LoadX87(s, area, i->Code == Code.Xrstor64_mem);
        else if ((requested & X87) != 0)
            XsaveStates.ResetX87(s);
        if (loadsMxcsr)
            s->Mxcsr = mxcsr;
        else if ((requested & Sse) != 0)
            s->Mxcsr = XsaveStates.InitialMxcsr;
        if ((requested & Sse) != 0)
            LegacyStateArea.LoadVectors(s, (present & Sse) != 0 ? area + LegacyStateArea.XmmOffset : null, 0, registers);
        if ((requested & Avx) != 0)
            LegacyStateArea.LoadVectors(s, (present & Avx) != 0 ? area + XsaveStates.Place(2) : null, 1, registers);
        if ((requested & Keys) != 0)
            return cpu.WriteKeyRights((present & Keys) != 0 ? *(uint*)(area + XsaveStates.Place(XsaveStates.KeyRights)) : 0);
        return Outcome.Next;
    }

    private static bool ReadStates(ProcessorCore cpu, ulong linear, byte* area, ulong wanted, ulong compaction)
    {
        int next = ExtendedOffset;
        for (int state = XsaveStates.FirstExtended; state <= XsaveStates.Last; state++)
        {
            int offset = cpu.Model.XsaveOffset(state);
            if (compaction != 0)
            {
                if (((compaction >> state) & 1) == 0)
                    continue;
                offset = cpu.Model.AlignXsave(state, next);
                next = offset + XsaveStates.Size(state);
            }
            if (((wanted >> state) & 1) != 0
                && !cpu.ReadBytes(Part(cpu, linear, offset), area + XsaveStates.Place(state), XsaveStates.Size(state)))
                return false;
        }
        return true;
    }

    /// <summary>XCR0 and EDX:EAX.</summary>
    private static ulong Requested(ProcessorCore cpu, VcpuState* s) =>
        s->Xcr0 & cpu.Model.SupportedXcr0 & ((uint)s->General[0] | (s->General[2] << 32));

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

    private static void FillMxcsr(VcpuState* s, byte* area)
    {
        *(uint*)(area + LegacyStateArea.MxcsrOffset) = s->Mxcsr;
        *(uint*)(area + LegacyStateArea.MxcsrOffset + 4) = LegacyStateArea.MxcsrMask;
    }

    /// <summary>Writes x87 state and the XMM registers, without MXCSR.</summary>
    private static bool WriteLegacy(ProcessorCore cpu, VcpuState* s, Instruction* i, ulong linear, byte* area, ulong saved)
    {
        if ((saved & X87) != 0)
        {
            LegacyStateArea.SaveX87(s, area, i->Code is Code.Xsave64_mem or Code.Xsaveopt64_mem or Code.Xsavec64_mem);
            if (!cpu.WriteBytes(linear, area, LegacyStateArea.MxcsrOffset)
                || !Write(cpu, linear, area, LegacyStateArea.StackOffset, LegacyStateArea.XmmOffset))
                return false;
        }
        if ((saved & Sse) == 0)
            return true;
        int registers = FxsaveInstructions.VectorCount(cpu);
        LegacyStateArea.SaveVectors(s, area + LegacyStateArea.XmmOffset, 0, registers);
        return Write(cpu, linear, area, LegacyStateArea.XmmOffset, LegacyStateArea.XmmOffset + (16 * registers));
    }

    private static bool WriteState(ProcessorCore cpu, VcpuState* s, ulong linear, byte* area, int state, int offset)
    {
        int size = state == 2 ? 16 * FxsaveInstructions.VectorCount(cpu) : XsaveStates.Size(state);
        XsaveStates.Fill(cpu, s, area + XsaveStates.Place(state), state);
        return cpu.WriteBytes(Part(cpu, linear, offset), area + XsaveStates.Place(state), size);
    }

    private static ulong Part(ProcessorCore cpu, ulong linear, int offset) => (linear + (ulong)offset) & cpu.LinearMask;

    private static bool Write(ProcessorCore cpu, ulong linear, byte* area, int from, int to) =>
        cpu.WriteBytes(Part(cpu, linear, from), area + from, to - from);
}
