using System.Numerics;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (SDM Vol. 2B 4.1).</summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and two 16-byte locals.
internal static unsafe class StringComparisons
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Pcmpestri, &Pcmpestri);
        table.Set(Mnemonic.Pcmpestri64, &Pcmpestri64);
        table.Set(Mnemonic.Pcmpestrm, &Pcmpestrm);
        table.Set(Mnemonic.Pcmpestrm64, &Pcmpestrm64);
        table.Set(Mnemonic.Pcmpistri, &Pcmpistri);
        table.Set(Mnemonic.Pcmpistrm, &Pcmpistrm);
    }

    private static Outcome Pcmpestri(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Explicit(cpu, s, i, (int)s->General[0], (int)s->General[2], true);

    private static Outcome Pcmpestri64(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Explicit(cpu, s, i, (long)s->General[0], (long)s->General[2], true);

    private static Outcome Pcmpestrm(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Explicit(cpu, s, i, (int)s->General[0], (int)s->General[2], false);

    private static Outcome Pcmpestrm64(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Explicit(cpu, s, i, (long)s->General[0], (long)s->General[2], false);

    private static Outcome Explicit(ProcessorCore cpu, VcpuState* s, Instruction* i, long length1, long length2, bool index)
    {
        if (!SimdOperands.UnalignedSource(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        byte control = i->Immediate8;
        int first = Clamp(length1, Lanes(control)), second = Clamp(length2, Lanes(control));
        uint result = Compare(control, *SimdOperands.Xmm(s, i->Op0Register), source, first, second);
        return Finish(s, control, result, first, second, index);
    }

    private static Outcome Pcmpistri(ProcessorCore cpu, VcpuState* s, Instruction* i) => Implicit(cpu, s, i, true);

    private static Outcome Pcmpistrm(ProcessorCore cpu, VcpuState* s, Instruction* i) => Implicit(cpu, s, i, false);

    private static Outcome Implicit(ProcessorCore cpu, VcpuState* s, Instruction* i, bool index)
    {
        if (!SimdOperands.UnalignedSource(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        byte control = i->Immediate8;
        Vector128<byte> first = *SimdOperands.Xmm(s, i->Op0Register);
        int length1 = Terminator(control, first), length2 = Terminator(control, source);
        return Finish(s, control, Compare(control, first, source, length1, length2), length1, length2, index);
    }

    private static int Lanes(byte control) => (control & 1) != 0 ? 8 : 16;

    // The magnitude of a length register, saturated to the number of lanes.
    private static int Clamp(long length, int lanes) => length > lanes || length < -lanes ? lanes : (int)Math.Abs(length);

    private static int Terminator(byte control, Vector128<byte> x)
    {
        uint zeros = (control & 1) != 0
            ? Vector128.Equals(x.AsUInt16(), default).ExtractMostSignificantBits() | 0x100
            : Vector128.Equals(x, default).ExtractMostSignificantBits() | 0x1_0000;
        return BitOperations.TrailingZeroCount(zeros);
    }

    private static int Lane(byte* vector, byte control, int lane) => (control & 3) switch
    {
        0 => vector[lane],
        1 => ((ushort*)vector)[lane],
        2 => ((sbyte*)vector)[lane],
        _ => ((short*)vector)[lane],
    };

    private static uint Compare(byte control, Vector128<byte> first, Vector128<byte> second, int length1, int length2)
    {
        int lanes = Lanes(control);
        byte* a = (byte*)&first, b = (byte*)&second;
        uint result = 0;
        for (int j = 0; j < lanes; j++)
        {
            bool match = ((control >> 2) & 3) switch
            {
                0 => j < length2 && EqualAny(a, b, control, j, length1),
                1 => j < length2 && InRange(a, b, control, j, length1),
                2 => j < length1 && j < length2 ? Lane(a, control, j) == Lane(b, control, j) : j >= length1 && j >= length2,
                _ => EqualOrdered(a, b, control, j, length1, length2),
            };
            if (match)
                result |= 1U << j;
        }
        // Polarity: negate all, or only the valid elements of the second operand.
        return (control & 0x30) switch
        {
            0x10 => result ^ ((1U << lanes) - 1),
            0x30 => result ^ ((1U << length2) - 1),
            _ => result,
        };
    }

    private static bool EqualAny(byte* a, byte* b, byte control, int j, int length1)
    {
        int value = Lane(b, control, j);
        for (int k = 0; k < length1; k++)
        {
            if (Lane(a, control, k) == value)
                return true;
        }
        return false;
    }

    private static bool InRange(byte* a, byte* b, byte control, int j, int length1)
    {
        int value = Lane(b, control, j);
        for (int k = 0; k + 1 < length1; k += 2)
        {
            if (value >= Lane(a, control, k) && value <= Lane(a, control, k + 1))
                return true;
        }
        return false;
    }

    private static bool EqualOrdered(byte* a, byte* b, byte control, int j, int length1, int length2)
    {
        int lanes = Lanes(control);
        for (int k = 0; k < length1 && j + k < lanes; k++)
        {
            if (j + k >= length2 || Lane(a, control, k) != Lane(b, control, j + k))
                return false;
        }
        return true;
    }

    private static Outcome Finish(VcpuState* s, byte control, uint result, int length1, int length2, bool index)
    {
        int lanes = Lanes(control);
        bool alternate = (control & 0x40) != 0;
        if (index)
        {
            s->General[1] = result == 0
                ? (ulong)lanes
                : (ulong)(alternate ? BitOperations.Log2(result) : BitOperations.TrailingZeroCount(result));
        }
        else
        {
            Vector128<byte> mask = alternate ? Expand(result, lanes) : Vector128.CreateScalar((ulong)result).AsByte();
            *SimdOperands.Xmm(s, Iced.Intel.Register.XMM0) = mask;
        }
        uint flags = (result != 0 ? LazyFlags.Cf : 0) | (length2 < lanes ? LazyFlags.Zf : 0) | (length1 < lanes ? LazyFlags.Sf : 0)
            | ((result & 1) != 0 ? LazyFlags.Of : 0);
        LazyFlags.SetArithmetic(s, flags);
        return Outcome.Next;
    }

    private static Vector128<byte> Expand(uint result, int lanes)
    {
        Vector128<byte> mask = default;
        byte* bytes = (byte*)&mask;
        for (int k = 0; k < 16; k++)
            bytes[k] = (result & (1U << (lanes == 16 ? k : k >> 1))) != 0 ? (byte)0xFF : (byte)0;
        return mask;
    }
}
