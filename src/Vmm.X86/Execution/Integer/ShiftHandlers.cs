using System.Numerics;
using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Shifts and rotates of registers in compact form, and of anything in table form.</summary>
// SAFETY: see Dispatch; table handlers get an Instruction alive for the call.
internal static unsafe class ShiftHandlers
{
    /// <summary>register, constant that is not zero once masked</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Constant<TShift, T, TFlags>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TShift : struct, IShift
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        nuint destination = op->Destination;
        Width.Set(s, destination, Result<TShift, T, TFlags>(s, Width.Get<T>(s, destination), (int)op->Immediate));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>a register moved to another and shifted there by a constant</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Moved<TShift, T, TFlags>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TShift : struct, IShift
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        Width.Set(s, op->Destination, Result<TShift, T, TFlags>(s, Width.Get<T>(s, op->Base), (int)op->Immediate));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>register, CL: with a count of zero flags stay, but a 32-bit register is still zero-extended</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Variable<TShift, T, TFlags>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TShift : struct, IShift
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        nuint destination = op->Destination;
        int count = (int)s->General[1] & (sizeof(T) == 8 ? 63 : 31);
        T value = Width.Get<T>(s, destination);
        T result = value;
        if (count != 0)
        {
            result = TShift.Compute(s, value, count);
            if (TFlags.Records)
                TShift.SetFlags(s, value, count, result);
        }
        Width.Set(s, destination, result);
        return Dispatch.Next(cpu, s, op);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Result<TShift, T, TFlags>(VcpuState* s, T value, int count)
        where TShift : struct, IShift
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        T result = TShift.Compute(s, value, count);
        if (TFlags.Records)
            TShift.SetFlags(s, value, count, result);
        return result;
    }

    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Shl, &Shift<ShiftLeft>);
        table.Set(Mnemonic.Sal, &Shift<ShiftLeft>);
        table.Set(Mnemonic.Shr, &Shift<ShiftRight>);
        table.Set(Mnemonic.Sar, &Shift<ShiftArithmetic>);
        table.Set(Mnemonic.Rol, &Shift<RotateLeft>);
        table.Set(Mnemonic.Ror, &Shift<RotateRight>);
        table.Set(Mnemonic.Rcl, &Shift<RotateCarryLeft>);
        table.Set(Mnemonic.Rcr, &Shift<RotateCarryRight>);
        table.Set(Mnemonic.Shld, &Double);
        table.Set(Mnemonic.Shrd, &Double);
    }

    private static Outcome Shift<TShift>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TShift : struct, IShift => TableOperand.Size(i, 0) switch
        {
            1 => Shift<TShift, byte>(cpu, s, i),
            2 => Shift<TShift, ushort>(cpu, s, i),
            4 => Shift<TShift, uint>(cpu, s, i),
            _ => Shift<TShift, ulong>(cpu, s, i),
        };

    private static Outcome Shift<TShift, T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TShift : struct, IShift
        where T : unmanaged, IBinaryInteger<T>
    {
        int count = (int)(i->Op1Kind == OpKind.Register ? s->General[1] : i->GetImmediate(1)) & (sizeof(T) == 8 ? 63 : 31);
        T* p = TableOperand.Begin<T>(cpu, i);
        if (p == null)
            return cpu.Stopped;
        T value = *p;
        T result = count == 0 ? value : TShift.Compute(s, value, count);
        *p = result;
        if (!TableOperand.End<T>(cpu, i))
            return cpu.Stopped;
        if (count != 0)
            TShift.SetFlags(s, value, count, result);
        return Outcome.Next;
    }

    private static Outcome Double(ProcessorCore cpu, VcpuState* s, Instruction* i) => TableOperand.Size(i, 0) switch
    {
        2 => Double<ushort>(cpu, s, i),
        4 => Double<uint>(cpu, s, i),
        _ => Double<ulong>(cpu, s, i),
    };

    // SHLD and SHRD. A 16-bit operand shifted by more than 16 is undefined; here it wraps over both operands as the processors do.
    private static Outcome Double<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        bool left = i->Mnemonic == Mnemonic.Shld;
        int bits = Width.Bits<T>();
        int count = (int)(i->Op2Kind == OpKind.Register ? s->General[1] : i->GetImmediate(2)) & (sizeof(T) == 8 ? 63 : 31);
        T source = Width.From<T>(Operands.Get(s, i->Op1Register));
        T* p = TableOperand.Begin<T>(cpu, i);
        if (p == null)
            return cpu.Stopped;
        T value = *p;
        T result = value;
        uint carry = 0;
        if (count != 0)
        {
            if (bits == 16)
            {
                // Over 48 bits: destination, source, destination again.
                ulong v = Width.Unsigned(value), w = Width.Unsigned(source);
                ulong all = left ? (v << 32) | (w << 16) | v : (v << 32) | (w << 16) | v;
                result = left ? Width.From<T>(all >> (32 - count)) : Width.From<T>(all >> count);
                carry = left ? (uint)(all >> (48 - count)) & 1 : (uint)(all >> (count - 1)) & 1;
            }
            else
            {
                result = left ? (value << count) | (source >>> (bits - count)) : (value >>> count) | (source << (bits - count));
                carry = left ? (uint)Width.Unsigned(value >>> (bits - count)) & 1 : (uint)Width.Unsigned(value >>> (count - 1)) & 1;
            }
        }
        *p = result;
        if (!TableOperand.End<T>(cpu, i))
            return cpu.Stopped;
        if (count != 0)
            LazyFlags.RecordShift(s, result, carry, Width.SignBit(result ^ value));
        return Outcome.Next;
    }
}
