using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>FXSAVE and FXRSTOR in their 32-bit and 64-bit forms (SDM Vol. 1 10.5, Vol. 2).</summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and a local buffer of the area's size.
internal static unsafe class FxsaveInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fxsave_m512byte, &Save);
        table.Set(Code.Fxsave64_m512byte, &Save);
        table.Set(Code.Fxrstor_m512byte, &Restore);
        table.Set(Code.Fxrstor64_m512byte, &Restore);
    }

    private static Outcome Save(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Address(cpu, s, i, true, out ulong linear))
            return cpu.Stopped;
        int registers = VectorCount(cpu);
        byte* area = stackalloc byte[LegacyStateArea.Size];
        LegacyStateArea.SaveX87(s, area, i->Code == Code.Fxsave64_m512byte);
        *(uint*)(area + LegacyStateArea.MxcsrOffset) = s->Mxcsr;
        *(uint*)(area + LegacyStateArea.MxcsrOffset + 4) = LegacyStateArea.MxcsrMask;
        LegacyStateArea.SaveVectors(s, area + LegacyStateArea.XmmOffset, 0, registers);
        // The last bytes of the area are reserved and stay as they are, but must be reachable.
        return cpu.ProbeWrite(linear, LegacyStateArea.Size) && cpu.WriteBytes(linear, area, LegacyStateArea.XmmOffset + (16 * registers))
            ? Outcome.Next
            : cpu.Stopped;
    }

    private static Outcome Restore(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte* area = stackalloc byte[LegacyStateArea.Size];
        if (!Address(cpu, s, i, false, out ulong linear) || !cpu.ReadBytes(linear, area, LegacyStateArea.Size))
            return cpu.Stopped;
        uint mxcsr = *(uint*)(area + LegacyStateArea.MxcsrOffset);
        if ((mxcsr & ~LegacyStateArea.MxcsrMask) != 0)
            return cpu.RaiseGeneralProtection();
        s->Mxcsr = mxcsr;
        LegacyStateArea.LoadX87(s, area, i->Code == Code.Fxrstor64_m512byte);
        LegacyStateArea.LoadVectors(s, area + LegacyStateArea.XmmOffset, 0, VectorCount(cpu));
        return Outcome.Next;
    }

    /// <summary>XMM8 to XMM15 take part in 64-bit code only.</summary>
    public static int VectorCount(ProcessorCore cpu) => cpu.Is64Bit ? 16 : 8;

    private static bool Address(ProcessorCore cpu, VcpuState* s, Instruction* i, bool write, out ulong linear)
    {
        linear = 0;
        if (!X87Unit.Available(cpu, s) || !Operands.Linear(cpu, i, LegacyStateArea.Size, write, out linear))
            return false;
        if ((linear & 15) == 0)
            return true;
        cpu.RaiseGeneralProtection();
        return false;
    }
}
