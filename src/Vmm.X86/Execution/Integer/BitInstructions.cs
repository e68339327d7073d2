using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>BT, BTS, BTR, BTC, bit scans and counts, CRC32.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class BitInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Bt, &Bit);
        table.Set(Mnemonic.Bts, &Bit);
        table.Set(Mnemonic.Btr, &Bit);
        table.Set(Mnemonic.Btc, &Bit);
        table.Set(Mnemonic.Bsf, &ScanForward);
        table.Set(Mnemonic.Bsr, &ScanReverse);
        table.Set(Mnemonic.Tzcnt, &CountTrailing);
        table.Set(Mnemonic.Lzcnt, &CountLeading);
        table.Set(Mnemonic.Popcnt, &CountOnes);
        table.Set(Mnemonic.Crc32, &Checksum);
    }

    private static Outcome Bit(ProcessorCore cpu, VcpuState* s, Instruction* i) => TableOperand.Size(i, 0) switch
    {
        2 => Bit<ushort>(cpu, s, i),
        4 => Bit<uint>(cpu, s, i),
        _ => Bit<ulong>(cpu, s, i),
    };

    private static Outcome Bit<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bits = Width.Bits<T>();
        bool byRegister = i->Op1Kind == OpKind.Register;
        ulong raw = byRegister ? Width.Signed(Width.From<T>(Operands.Get(s, i->Op1Register))) : i->GetImmediate(1);
        int index = (int)raw & (bits - 1);
        Mnemonic mnemonic = i->Mnemonic;
        bool memory = i->Op0Kind == OpKind.Memory;
        T* p;
        if (memory)
        {
            // A register index reaches any word around the operand; an immediate only the operand itself.
            ulong address = Operands.EffectiveAddress(s, i);
            if (byRegister)
                address += (ulong)(((long)raw >> BitOperations.Log2((uint)bits)) * sizeof(T));
            int addressSize = AddressSize(i);
            address = addressSize == 2 ? (ushort)address : addressSize == 4 ? (uint)address : address;
            bool write = mnemonic != Mnemonic.Bt;
            if (!cpu.Linear(Operands.Segment(i->MemorySegment), address, sizeof(T), write, out ulong linear))
                return cpu.Stopped;
            p = (T*)(i->HasLockPrefix ? cpu.BeginLocked(linear, sizeof(T))
                : write ? cpu.BeginModify(linear, sizeof(T)) : cpu.ReadPointer(linear, sizeof(T)));
        }
        else
        {
            p = TableOperand.Begin<T>(cpu, i);
        }
        if (p == null)
            return cpu.Stopped;
        T mask = T.One << index;
        T value = *p;
        if (mnemonic != Mnemonic.Bt)
        {
            if (i->HasLockPrefix)
            {
                while (true)
                {
                    T seen = TableOperand.CompareExchange(p, Changed(mnemonic, value, mask), value);
                    if (seen == value)
                        break;
                    value = seen;
                }
            }
            else
            {
                *p = Changed(mnemonic, value, mask);
            }
            if (memory ? !cpu.EndModify(sizeof(T)) : !TableOperand.End<T>(cpu, i))
                return cpu.Stopped;
        }
        LazyFlags.SetCarry(s, (value & mask) != T.Zero ? 1u : 0);
        return Outcome.Next;
    }

    private static T Changed<T>(Mnemonic mnemonic, T value, T mask)
        where T : unmanaged, IBinaryInteger<T> => mnemonic switch
        {
            Mnemonic.Bts => value | mask,
            Mnemonic.Btr => value & ~mask,
            _ => value ^ mask,
        };

    private static int AddressSize(Instruction* i)
    {
        Iced.Intel.Register register = i->MemoryBase != Iced.Intel.Register.None ? i->MemoryBase : i->MemoryIndex;
        return register != Iced.Intel.Register.None ? register.GetSize() : i->MemoryDisplSize == 0 ? 8 : i->MemoryDisplSize;
    }

    // With a source of zero the destination keeps its value, whatever its width, as the processors do.
    private static Outcome ScanForward(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, TableOperand.Size(i, 1), out ulong value))
            return cpu.Stopped;
        if (value != 0)
            Operands.Set(s, i->Op0Register, (ulong)BitOperations.TrailingZeroCount(value));
        LazyFlags.SetZero(s, value == 0);
        return Outcome.Next;
    }

    private static Outcome ScanReverse(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, TableOperand.Size(i, 1), out ulong value))
            return cpu.Stopped;
        if (value != 0)
            Operands.Set(s, i->Op0Register, (ulong)BitOperations.Log2(value));
        LazyFlags.SetZero(s, value == 0);
        return Outcome.Next;
    }

    private static Outcome CountTrailing(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 1);
        if (!Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        return Counted(s, i, value == 0 ? size * 8 : BitOperations.TrailingZeroCount(value), value == 0);
    }

    private static Outcome CountLeading(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 1);
        if (!Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        return Counted(s, i, BitOperations.LeadingZeroCount(value) - (64 - (size * 8)), value == 0);
    }

    private static Outcome Counted(VcpuState* s, Instruction* i, int count, bool carry)
    {
        Operands.Set(s, i->Op0Register, (ulong)count);
        LazyFlags.SetArithmetic(s, (LazyFlags.Get(s) & ~(ulong)(LazyFlags.Cf | LazyFlags.Zf)) | (carry ? LazyFlags.Cf : 0)
            | (count == 0 ? LazyFlags.Zf : 0));
        return Outcome.Next;
    }

    private static Outcome CountOnes(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, TableOperand.Size(i, 1), out ulong value))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, (ulong)BitOperations.PopCount(value));
        LazyFlags.SetArithmetic(s, value == 0 ? LazyFlags.Zf : 0);
        return Outcome.Next;
    }

    private static Outcome Checksum(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 1);
        if (!Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        uint crc = (uint)Operands.Get(s, i->Op0Register);
        crc = size switch
        {
            1 => BitOperations.Crc32C(crc, (byte)value),
            2 => BitOperations.Crc32C(crc, (ushort)value),
            4 => BitOperations.Crc32C(crc, (uint)value),
            _ => BitOperations.Crc32C(crc, value),
        };
        Operands.Set(s, i->Op0Register, crc);
        return Outcome.Next;
    }
}
