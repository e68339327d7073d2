using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FXSAVE and FXRSTOR in their 32-bit and 64-bit forms (SDM Vol. 1 10.5, Vol. 2).</summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and a local buffer of the area's size.
internal static unsafe class FxsaveInstructions
{
    private const int AreaSize = 512;
    private const int XmmOffset = 160;
    private const uint MxcsrMask = 0xFFFF;

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
        int written = WrittenBytes(cpu);
        byte* area = stackalloc byte[AreaSize];
        new Span<byte>(area, AreaSize).Clear();
        ushort* words = (ushort*)area;
        words[0] = s->FpuControl;
        words[1] = s->FpuStatus;
        words[2] = (byte)s->FpuTags;
        words[3] = s->FpuOpcode;
        *(ulong*)(area + 8) = Pointer(i->Code == Code.Fxsave64_m512byte, s->FpuInstructionPointer, s->FpuInstructionSelector);
        *(ulong*)(area + 16) = Pointer(i->Code == Code.Fxsave64_m512byte, s->FpuDataPointer, s->FpuDataSelector);
        *(uint*)(area + 24) = s->Mxcsr;
        *(uint*)(area + 28) = MxcsrMask;
        for (int register = 0; register < 8; register++)
            X87Unit.Get(s, register).Write(new Span<byte>(area + 32 + (16 * register), 10));
        for (int offset = XmmOffset; offset < written; offset += 8)
            *(ulong*)(area + offset) = *XmmHalf(s, offset);
        // The last bytes of the area are reserved and stay as they are, but must be reachable.
        return cpu.ProbeWrite(linear, AreaSize) && cpu.WriteBytes(linear, area, written) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome Restore(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte* area = stackalloc byte[AreaSize];
        if (!Address(cpu, s, i, false, out ulong linear) || !cpu.ReadBytes(linear, area, AreaSize))
            return cpu.Stopped;
        uint mxcsr = *(uint*)(area + 24);
        if ((mxcsr & ~MxcsrMask) != 0)
            return cpu.RaiseGeneralProtection();
        ushort* words = (ushort*)area;
        s->Mxcsr = mxcsr;
        s->FpuStatus = words[1];
        X87ControlInstructions.SetControlWord(s, words[0]);
        s->FpuOpcode = (ushort)(words[3] & 0x7FF);
        bool wide = i->Code == Code.Fxrstor64_m512byte;
        s->FpuInstructionPointer = wide ? *(ulong*)(area + 8) : *(uint*)(area + 8);
        s->FpuInstructionSelector = wide ? (ushort)0 : words[6];
        s->FpuDataPointer = wide ? *(ulong*)(area + 16) : *(uint*)(area + 16);
        s->FpuDataSelector = wide ? (ushort)0 : words[10];
        for (int register = 0; register < 8; register++)
            X87Unit.Set(s, register, Float80.Read(new ReadOnlySpan<byte>(area + 32 + (16 * register), 10)));
        s->FpuTags = area[4];
        for (int offset = XmmOffset; offset < WrittenBytes(cpu); offset += 8)
            *XmmHalf(s, offset) = *(ulong*)(area + offset);
        return Outcome.Next;
    }

    private static bool Address(ProcessorCore cpu, VcpuState* s, Instruction* i, bool write, out ulong linear)
    {
        linear = 0;
        if (!X87Unit.Available(cpu, s) || !Operands.Linear(cpu, i, AreaSize, write, out linear))
            return false;
        if ((linear & 15) == 0)
            return true;
        cpu.RaiseGeneralProtection();
        return false;
    }

    /// <summary>XMM8 to XMM15 take part in 64-bit code only.</summary>
    private static int WrittenBytes(ProcessorCore cpu) => XmmOffset + (16 * (cpu.Is64Bit ? 16 : 8));

    private static ulong* XmmHalf(VcpuState* s, int offset)
    {
        int half = (offset - XmmOffset) / 8;
        return &s->Vector[0] + (4 * (half >> 1)) + (half & 1);
    }

    private static ulong Pointer(bool wide, ulong offset, ushort selector) => wide ? offset : (uint)offset | ((ulong)selector << 32);
}
