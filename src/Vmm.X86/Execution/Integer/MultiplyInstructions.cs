using System.Numerics;
using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>MUL, IMUL, DIV, IDIV.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; see Dispatch for the compact ones.
internal static unsafe class MultiplyInstructions
{
    /// <summary>IMUL register, register, immediate</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Constant<T, TFlags>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        T a = Width.Get<T>(s, op->Source);
        T b = Width.From<T>(op->Immediate);
        T result = a * b;
        if (TFlags.Records)
            Multiply.SetFlags(s, a, b, result);
        Width.Set(s, op->Destination, result);
        return Dispatch.Next(cpu, s, op);
    }

    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Mul, &Unsigned);
        table.Set(Mnemonic.Imul, &Signed);
        table.Set(Mnemonic.Div, &Divide);
        table.Set(Mnemonic.Idiv, &DivideSigned);
    }

    private static Outcome Unsigned(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 0);
        if (!Operands.Read(cpu, i, 0, size, out ulong b))
            return cpu.Stopped;
        switch (size)
        {
            case 1:
                uint product8 = (uint)(byte)s->General[0] * (uint)b;
                *(ushort*)&s->General[0] = (ushort)product8;
                LazyFlags.RecordShift(s, (byte)product8, product8 >> 8 != 0 ? 1u : 0, product8 >> 8 != 0 ? 1u : 0);
                break;
            case 2:
                uint product16 = (uint)(ushort)s->General[0] * (uint)b;
                *(ushort*)&s->General[0] = (ushort)product16;
                *(ushort*)&s->General[2] = (ushort)(product16 >> 16);
                LazyFlags.RecordShift(s, (ushort)product16, product16 >> 16 != 0 ? 1u : 0, product16 >> 16 != 0 ? 1u : 0);
                break;
            case 4:
                ulong product = (uint)s->General[0] * b;
                s->General[0] = (uint)product;
                s->General[2] = product >> 32;
                LazyFlags.RecordShift(s, (uint)product, product >> 32 != 0 ? 1u : 0, product >> 32 != 0 ? 1u : 0);
                break;
            default:
                ulong high = Math.BigMul(s->General[0], b, out ulong low);
                s->General[0] = low;
                s->General[2] = high;
                LazyFlags.RecordShift(s, low, high != 0 ? 1u : 0, high != 0 ? 1u : 0);
                break;
        }
        return Outcome.Next;
    }

    private static Outcome Signed(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 0);
        if (i->OpCount == 1)
            return SignedWide(cpu, s, i, size);
        if (!Operands.Read(cpu, i, 1, size, out ulong second))
            return cpu.Stopped;
        ulong first = i->OpCount == 3 ? i->GetImmediate(2) : Operands.Get(s, i->Op0Register);
        Operands.Set(s, i->Op0Register, size switch
        {
            2 => Product<ushort>(s, first, second),
            4 => Product<uint>(s, first, second),
            _ => Product<ulong>(s, first, second),
        });
        return Outcome.Next;
    }

    private static ulong Product<T>(VcpuState* s, ulong first, ulong second)
        where T : unmanaged, IBinaryInteger<T>
    {
        T a = Width.From<T>(first), b = Width.From<T>(second);
        T result = a * b;
        Multiply.SetFlags(s, a, b, result);
        return Width.Unsigned(result);
    }

    private static Outcome SignedWide(ProcessorCore cpu, VcpuState* s, Instruction* i, int size)
    {
        if (!Operands.Read(cpu, i, 0, size, out ulong b))
            return cpu.Stopped;
        ulong a = s->General[0];
        switch (size)
        {
            case 1:
                *(ushort*)&s->General[0] = (ushort)((sbyte)a * (sbyte)b);
                Multiply.SetFlags(s, (byte)a, (byte)b, (byte)s->General[0]);
                break;
            case 2:
                int product16 = (short)a * (short)b;
                *(ushort*)&s->General[0] = (ushort)product16;
                *(ushort*)&s->General[2] = (ushort)(product16 >> 16);
                Multiply.SetFlags(s, (ushort)a, (ushort)b, (ushort)product16);
                break;
            case 4:
                long product = (long)(int)a * (int)b;
                s->General[0] = (uint)product;
                s->General[2] = (uint)(product >> 32);
                Multiply.SetFlags(s, (uint)a, (uint)b, (uint)product);
                break;
            default:
                long high = Math.BigMul((long)a, (long)b, out long low);
                s->General[0] = (ulong)low;
                s->General[2] = (ulong)high;
                Multiply.SetFlags(s, a, b, (ulong)low);
                break;
        }
        return Outcome.Next;
    }

    private static Outcome Divide(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 0);
        if (!Operands.Read(cpu, i, 0, size, out ulong divisor))
            return cpu.Stopped;
        ulong low = s->General[0], high = s->General[2];
        if (divisor == 0)
            return cpu.Raise(ExceptionVector.DivideError);
        switch (size)
        {
            case 1:
                uint dividend8 = (ushort)low;
                if (dividend8 / (uint)divisor > byte.MaxValue)
                    return cpu.Raise(ExceptionVector.DivideError);
                *(ushort*)&s->General[0] = (ushort)((dividend8 / (uint)divisor) | ((dividend8 % (uint)divisor) << 8));
                break;
            case 2:
                uint dividend16 = ((uint)(ushort)high << 16) | (ushort)low;
                if (dividend16 / (uint)divisor > ushort.MaxValue)
                    return cpu.Raise(ExceptionVector.DivideError);
                *(ushort*)&s->General[0] = (ushort)(dividend16 / (uint)divisor);
                *(ushort*)&s->General[2] = (ushort)(dividend16 % (uint)divisor);
                break;
            case 4:
                ulong dividend = (high << 32) | (uint)low;
                if (dividend / divisor > uint.MaxValue)
                    return cpu.Raise(ExceptionVector.DivideError);
                s->General[0] = dividend / divisor;
                s->General[2] = dividend % divisor;
                break;
            default:
                if (high >= divisor)
                    return cpu.Raise(ExceptionVector.DivideError);
                if (high == 0)
                {
                    s->General[0] = low / divisor;
                    s->General[2] = low % divisor;
                    break;
                }
                UInt128 wide = new(high, low);
                UInt128 quotient = wide / divisor;
                s->General[0] = (ulong)quotient;
                s->General[2] = low - ((ulong)quotient * divisor);
                break;
        }
        return Outcome.Next;
    }

    private static Outcome DivideSigned(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 0);
        if (!Operands.Read(cpu, i, 0, size, out ulong raw))
            return cpu.Stopped;
        ulong low = s->General[0], high = s->General[2];
        Int128 divisor = size switch { 1 => (sbyte)raw, 2 => (short)raw, 4 => (int)raw, _ => (long)raw };
        Int128 dividend = size switch
        {
            1 => (short)low,
            2 => (int)(((uint)(ushort)high << 16) | (ushort)low),
            4 => (long)((high << 32) | (uint)low),
            _ => new Int128(high, low),
        };
        // The one overflow of the wide type itself gives a quotient that fits nowhere anyway.
        if (divisor == 0 || (divisor == -1 && dividend == Int128.MinValue))
            return cpu.Raise(ExceptionVector.DivideError);
        bool small = dividend == (long)dividend && dividend != long.MinValue;
        Int128 quotient = small ? (long)dividend / (long)divisor : dividend / divisor;
        Int128 limit = Int128.One << ((size * 8) - 1);
        if (quotient >= limit || quotient < -limit)
            return cpu.Raise(ExceptionVector.DivideError);
        Int128 remainder = dividend - (quotient * divisor);
        if (size == 1)
        {
            *(ushort*)&s->General[0] = (ushort)((byte)quotient | ((byte)remainder << 8));
            return Outcome.Next;
        }
        if (size == 2)
        {
            *(ushort*)&s->General[0] = (ushort)quotient;
            *(ushort*)&s->General[2] = (ushort)remainder;
            return Outcome.Next;
        }
        s->General[0] = size == 4 ? (uint)quotient : (ulong)quotient;
        s->General[2] = size == 4 ? (uint)remainder : (ulong)remainder;
        return Outcome.Next;
    }
}
