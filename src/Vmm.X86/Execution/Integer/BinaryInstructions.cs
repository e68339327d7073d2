using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Two-operand and one-operand arithmetic in table form: LOCK, and the few addresses that have no compact form.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class BinaryInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Add, &Binary<Add>);
        table.Set(Mnemonic.Sub, &Binary<Subtract>);
        table.Set(Mnemonic.Cmp, &Binary<Compare>);
        table.Set(Mnemonic.And, &Binary<And>);
        table.Set(Mnemonic.Or, &Binary<Or>);
        table.Set(Mnemonic.Xor, &Binary<Xor>);
        table.Set(Mnemonic.Test, &Binary<TestBits>);
        table.Set(Mnemonic.Adc, &Binary<AddWithCarry>);
        table.Set(Mnemonic.Sbb, &Binary<SubtractWithBorrow>);
        table.Set(Mnemonic.Inc, &Binary<Increment>);
        table.Set(Mnemonic.Dec, &Binary<Decrement>);
        table.Set(Mnemonic.Neg, &Binary<Negate>);
        table.Set(Mnemonic.Not, &Binary<Complement>);
        table.Set(Mnemonic.Xadd, &ExchangeAdd);
        table.Set(Mnemonic.Xchg, &Exchange);
        table.Set(Mnemonic.Cmpxchg, &CompareExchange);
        table.Set(Mnemonic.Cmpxchg8b, &CompareExchange8);
        table.Set(Mnemonic.Cmpxchg16b, &CompareExchange16);
    }

    private static Outcome Binary<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IBinaryOperation => TableOperand.Size(i, 0) switch
        {
            1 => Binary<TOperation, byte>(cpu, s, i),
            2 => Binary<TOperation, ushort>(cpu, s, i),
            4 => Binary<TOperation, uint>(cpu, s, i),
            _ => Binary<TOperation, ulong>(cpu, s, i),
        };

    private static Outcome Binary<TOperation, T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong second = 0;
        if (i->OpCount > 1 && !Operands.Read(cpu, i, 1, sizeof(T), out second))
            return cpu.Stopped;
        T b = Width.From<T>(second);
        if (!TOperation.Stores)
        {
            if (!Operands.Read(cpu, i, 0, sizeof(T), out ulong first))
                return cpu.Stopped;
            T left = Width.From<T>(first);
            TOperation.SetFlags(s, left, b, TOperation.Compute(s, left, b));
            return Outcome.Next;
        }
        T* p = TableOperand.Begin<T>(cpu, i);
        if (p == null)
            return cpu.Stopped;
        T a = *p, result = TOperation.Compute(s, a, b);
        if (i->HasLockPrefix)
        {
            while (true)
            {
                T seen = TableOperand.CompareExchange(p, result, a);
                if (seen == a)
                    break;
                a = seen;
                result = TOperation.Compute(s, a, b);
            }
        }
        else
        {
            *p = result;
        }
        if (!TableOperand.End<T>(cpu, i))
            return cpu.Stopped;
        TOperation.SetFlags(s, a, b, result);
        return Outcome.Next;
    }

    private static Outcome ExchangeAdd(ProcessorCore cpu, VcpuState* s, Instruction* i) => TableOperand.Size(i, 0) switch
    {
        1 => ExchangeAdd<byte>(cpu, s, i),
        2 => ExchangeAdd<ushort>(cpu, s, i),
        4 => ExchangeAdd<uint>(cpu, s, i),
        _ => ExchangeAdd<ulong>(cpu, s, i),
    };

    private static Outcome ExchangeAdd<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* p = TableOperand.Begin<T>(cpu, i);
        if (p == null)
            return cpu.Stopped;
        T b = Width.From<T>(Operands.Get(s, i->Op1Register));
        T a = *p;
        if (i->Op0Kind == OpKind.Register)
        {
            // The sum goes to the destination last: XADD r, r leaves it there.
            Operands.Set(s, i->Op1Register, Width.Unsigned(a));
            Operands.Set(s, i->Op0Register, Width.Unsigned(a + b));
        }
        else
        {
            while (true)
            {
                T seen = TableOperand.CompareExchange(p, a + b, a);
                if (seen == a)
                    break;
                a = seen;
            }
            if (!cpu.EndModify(sizeof(T)))
                return cpu.Stopped;
            Operands.Set(s, i->Op1Register, Width.Unsigned(a));
        }
        Add.SetFlags(s, a, b, a + b);
        return Outcome.Next;
    }

    private static Outcome Exchange(ProcessorCore cpu, VcpuState* s, Instruction* i) => TableOperand.Size(i, 0) switch
    {
        1 => Exchange<byte>(cpu, s, i),
        2 => Exchange<ushort>(cpu, s, i),
        4 => Exchange<uint>(cpu, s, i),
        _ => Exchange<ulong>(cpu, s, i),
    };

    // With memory it is locked even without a prefix (SDM Vol. 3A 9.1.2.1).
    private static Outcome Exchange<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* p = TableOperand.Begin<T>(cpu, i);
        if (p == null)
            return cpu.Stopped;
        T value = Width.From<T>(Operands.Get(s, i->Op1Register));
        T a = *p;
        while (true)
        {
            T seen = TableOperand.CompareExchange(p, value, a);
            if (seen == a)
                break;
            a = seen;
        }
        if (!TableOperand.End<T>(cpu, i))
            return cpu.Stopped;
        Operands.Set(s, i->Op1Register, Width.Unsigned(a));
        return Outcome.Next;
    }

    private static Outcome CompareExchange(ProcessorCore cpu, VcpuState* s, Instruction* i) => TableOperand.Size(i, 0) switch
    {
        1 => CompareExchange<byte>(cpu, s, i),
        2 => CompareExchange<ushort>(cpu, s, i),
        4 => CompareExchange<uint>(cpu, s, i),
        _ => CompareExchange<ulong>(cpu, s, i),
    };

    // The destination is always written, so that it must be writable (SDM Vol. 2A CMPXCHG).
    private static Outcome CompareExchange<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* p = TableOperand.Begin<T>(cpu, i);
        if (p == null)
            return cpu.Stopped;
        T accumulator = Width.From<T>(s->General[0]);
        T value = Width.From<T>(Operands.Get(s, i->Op1Register));
        bool memory = i->Op0Kind != OpKind.Register;
        T seen = memory ? TableOperand.CompareExchange(p, value, accumulator) : *p;
        bool equal = seen == accumulator;
        if (!memory && equal)
            *p = value;
        // On a 32-bit register destination the upper half is cleared only when it was written.
        if (memory ? !cpu.EndModify(sizeof(T)) : equal && !TableOperand.End<T>(cpu, i))
            return cpu.Stopped;
        if (!equal)
            Width.Set(s, 0, seen);
        Compare.SetFlags(s, accumulator, seen, accumulator - seen);
        return Outcome.Next;
    }

    private static Outcome CompareExchange8(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Linear(cpu, i, 8, true, out ulong linear))
            return cpu.Stopped;
        ulong* p = (ulong*)(i->HasLockPrefix ? cpu.BeginLocked(linear, 8) : cpu.BeginModify(linear, 8));
        if (p == null)
            return cpu.Stopped;
        ulong expected = (uint)s->General[0] | (s->General[2] << 32);
        ulong value = (uint)s->General[3] | (s->General[1] << 32);
        ulong seen = TableOperand.CompareExchange(p, value, expected);
        if (!cpu.EndModify(8))
            return cpu.Stopped;
        if (seen != expected)
        {
            s->General[0] = (uint)seen;
            s->General[2] = seen >> 32;
        }
        LazyFlags.SetZero(s, seen == expected);
        return Outcome.Next;
    }

    private static Outcome CompareExchange16(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Linear(cpu, i, 16, true, out ulong linear))
            return cpu.Stopped;
        if ((linear & 15) != 0)
            return cpu.RaiseGeneralProtection();
        bool locked = i->HasLockPrefix;
        if (locked && !WideExchange.IsAtomic && !cpu.IsAlone)
            return cpu.StopForExclusive();
        ulong* p = (ulong*)cpu.BeginModify(linear, 16);
        if (p == null)
            return cpu.Stopped;
        UInt128 expected = new(s->General[2], s->General[0]);
        UInt128 value = new(s->General[1], s->General[3]);
        UInt128 seen = locked ? WideExchange.CompareExchange(p, value, expected) : WideExchange.CompareExchangeAlone(p, value, expected);
        if (!cpu.EndModify(16))
            return cpu.Stopped;
        if (seen != expected)
        {
            s->General[0] = (ulong)seen;
            s->General[2] = (ulong)(seen >> 64);
        }
        LazyFlags.SetZero(s, seen == expected);
        return Outcome.Next;
    }
}
