using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>The 512 bytes that FXSAVE and the XSAVE family share, part by part (SDM Vol. 1 10.5.1 and 13.4.1).</summary>
// SAFETY: pointers are the processor's state block and a local buffer of at least Size bytes; register numbers stay below 8 and 16.
internal static unsafe class LegacyStateArea
{
    /// <summary>Bytes of the area.</summary>
    public const int Size = 512;

    /// <summary>Where MXCSR, the x87 registers and the XMM registers begin.</summary>
    public const int MxcsrOffset = 24, StackOffset = 32, XmmOffset = 160;

    /// <summary>MXCSR_MASK: the bits that MXCSR has.</summary>
    public const uint MxcsrMask = 0xFFFF;

    /// <summary>
    /// Control, status, tags, opcode and pointers (the first 24 bytes), and the stack. <paramref name="wide"/>: 64-bit pointers.
    /// </summary>
    public static void SaveX87(VcpuState* s, byte* area, bool wide)
    {
        ushort* words = (ushort*)area;
        words[0] = s->FpuControl;
        words[1] = s->FpuStatus;
        words[2] = (byte)s->FpuTags;
        words[3] = s->FpuOpcode;
        *(ulong*)(area + 8) = Pointer(wide, s->FpuInstructionPointer, s->FpuInstructionSelector);
        *(ulong*)(area + 16) = Pointer(wide, s->FpuDataPointer, s->FpuDataSelector);
        for (int register = 0; register < 8; register++)
        {
            byte* slot = area + StackOffset + (16 * register);
            X87Unit.Get(s, register).Write(new Span<byte>(slot, 10));
            new Span<byte>(slot + 10, 6).Clear();
        }
    }

    /// <summary>What <see cref="SaveX87"/> saved.</summary>
    public static void LoadX87(VcpuState* s, byte* area, bool wide)
    {
        ushort* words = (ushort*)area;
        s->FpuStatus = words[1];
        X87ControlInstructions.SetControlWord(s, words[0]);
        s->FpuOpcode = (ushort)(words[3] & 0x7FF);
        s->FpuInstructionPointer = wide ? *(ulong*)(area + 8) : *(uint*)(area + 8);
        s->FpuInstructionSelector = wide ? (ushort)0 : words[6];
        s->FpuDataPointer = wide ? *(ulong*)(area + 16) : *(uint*)(area + 16);
        s->FpuDataSelector = wide ? (ushort)0 : words[10];
        for (int register = 0; register < 8; register++)
            X87Unit.Set(s, register, Float80.Read(new ReadOnlySpan<byte>(area + StackOffset + (16 * register), 10)));
        s->FpuTags = area[4];
    }

    /// <summary>Copies one 16-byte half of the vector registers out: 0 the XMM part, 1 the upper part of YMM.</summary>
    public static void SaveVectors(VcpuState* s, byte* destination, int half, int count)
    {
        for (int register = 0; register < count; register++)
        {
            ulong* source = &s->Vector[0] + (4 * register) + (2 * half);
            ((ulong*)destination)[2 * register] = source[0];
            ((ulong*)destination)[(2 * register) + 1] = source[1];
        }
    }

    /// <summary>What <see cref="SaveVectors"/> saved; null clears.</summary>
    public static void LoadVectors(VcpuState* s, byte* source, int half, int count)
    {
        for (int register = 0; register < count; register++)
        {
            ulong* destination = &s->Vector[0] + (4 * register) + (2 * half);
            destination[0] = source == null ? 0 : ((ulong*)source)[2 * register];
            destination[1] = source == null ? 0 : ((ulong*)source)[(2 * register) + 1];
        }
    }

    private static ulong Pointer(bool wide, ulong offset, ushort selector) => wide ? offset : (uint)offset | ((ulong)selector << 32);
}
