using System.Numerics;
using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>MOVS, STOS, LODS, SCAS and CMPS (SDM Vol. 2B REP).</summary>
/// <remarks>
/// A repeated form works on host memory in chunks that end at a page or where the outside must be heard; registers are exact after each.
/// What is
/// not plain memory, runs downwards or crosses a page goes element by element.
/// </remarks>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and host pages given by the soft TLB for the page in
// question, used up to the page's end only.
internal static unsafe partial class StringInstructions
{
    /// <summary>Elements done before the dispatcher is given a chance: a few microseconds of work.</summary>
    private const ulong LongestRun = 16384;

    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Movsb, &Move<byte>);
        table.Set(Mnemonic.Movsw, &Move<ushort>);
        table.Set(Code.Movsd_m32_m32, &Move<uint>);
        table.Set(Mnemonic.Movsq, &Move<ulong>);
        table.Set(Mnemonic.Stosb, &Store<byte>);
        table.Set(Mnemonic.Stosw, &Store<ushort>);
        table.Set(Mnemonic.Stosd, &Store<uint>);
        table.Set(Mnemonic.Stosq, &Store<ulong>);
        table.Set(Mnemonic.Lodsb, &Load<byte>);
        table.Set(Mnemonic.Lodsw, &Load<ushort>);
        table.Set(Mnemonic.Lodsd, &Load<uint>);
        table.Set(Mnemonic.Lodsq, &Load<ulong>);
        table.Set(Mnemonic.Scasb, &Scan<byte>);
        table.Set(Mnemonic.Scasw, &Scan<ushort>);
        table.Set(Mnemonic.Scasd, &Scan<uint>);
        table.Set(Mnemonic.Scasq, &Scan<ulong>);
        table.Set(Mnemonic.Cmpsb, &CompareStrings<byte>);
        table.Set(Mnemonic.Cmpsw, &CompareStrings<ushort>);
        table.Set(Code.Cmpsd_m32_m32, &CompareStrings<uint>);
        table.Set(Mnemonic.Cmpsq, &CompareStrings<ulong>);
    }

    /// <summary>Address mask of a string operand.</summary>
    private static ulong Mask(OpKind kind) => kind switch
    {
        OpKind.MemoryESDI or OpKind.MemorySegDI or OpKind.MemorySegSI => 0xFFFF,
        OpKind.MemoryESEDI or OpKind.MemorySegEDI or OpKind.MemorySegESI => uint.MaxValue,
        _ => ulong.MaxValue,
    };

    /// <summary>Elements to do at most: one while every instruction traps.</summary>
    private static ulong Limit(VcpuState* s) => (s->Mode & ExecutionMode.SingleStep) != 0 ? 1 : LongestRun;

    private static bool Repeats(Instruction* i) => i->HasRepPrefix || i->HasRepnePrefix;

    /// <summary>Writes an index or count register as wide as the address size.</summary>
    private static void SetMasked(VcpuState* s, int register, ulong value, ulong mask)
    {
        if (mask == 0xFFFF)
            *(ushort*)&s->General[register] = (ushort)value;
        else
            s->General[register] = value & mask;
    }

    private static ulong Step<T>(VcpuState* s)
        where T : unmanaged => (s->FlagsSystem & LazyFlags.Df) != 0 ? unchecked((ulong)-sizeof(T)) : (ulong)sizeof(T);

    /// <summary>Ends a part of a repeated instruction.</summary>
    private static Outcome Finish(ProcessorCore cpu, VcpuState* s, ulong count)
    {
        cpu.ClearAnswers();
        return count == 0 ? Outcome.Next : Outcome.Repeat;
    }

    /// <summary>Elements of a chunk: up to the page's end, the count, and the wrap of a 16- or 32-bit index.</summary>
    private static ulong Chunk<T>(ulong linear, ulong offset, ulong mask, ulong count)
        where T : unmanaged
    {
        ulong room = (4096 - (linear & 0xFFF)) / (ulong)sizeof(T);
        if (mask != ulong.MaxValue)
            room = Math.Min(room, (mask - offset + 1) / (ulong)sizeof(T));
        return Math.Min(room, count);
    }

    private static Outcome Store<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        T value = Width.From<T>(s->General[0]);
        ulong mask = Mask(i->Op0Kind);
        ulong step = Step<T>(s);
        if (!Repeats(i))
        {
            ulong offset = s->General[7] & mask;
            if (!cpu.Linear(SegmentIndex.Es, offset, sizeof(T), true, out ulong linear) || !cpu.Write(linear, value))
                return cpu.Stopped;
            SetMasked(s, 7, offset + step, mask);
            return Outcome.Next;
        }
        ulong count = s->General[1] & mask;
        if (count == 0 && mask == uint.MaxValue)
            SetMasked(s, 1, 0, mask);
        ulong left = Limit(s);
        while (count != 0 && left != 0)
        {
            ulong offset = s->General[7] & mask;
            if (!cpu.Linear(SegmentIndex.Es, offset, sizeof(T), true, out ulong linear))
                return cpu.Stopped;
            ulong chunk = step == (ulong)sizeof(T) ? Chunk<T>(linear, offset, mask, Math.Min(count, left)) : 0;
            byte* p = chunk > 1 && InLimit(cpu, SegmentIndex.Es, offset, chunk * (ulong)sizeof(T), true) ? WritePage(cpu, s, linear) : null;
            if (p != null)
            {
                new Span<T>(p, (int)chunk).Fill(value);
            }
            else
            {
                chunk = 1;
                if (!cpu.Write(linear, value))
                    return cpu.Stopped;
            }
            count -= chunk;
            left -= chunk;
            SetMasked(s, 7, offset + (step * chunk), mask);
            SetMasked(s, 1, count, mask);
            if (p == null)
            {
                cpu.ClearAnswers();
                if (cpu.CodeChanged || s->PollLimit == 0)
                    break;
            }
        }
        return Finish(cpu, s, count);
    }

    private static Outcome Load<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong mask = Mask(i->Op1Kind);
        ulong step = Step<T>(s);
        int segment = Operands.Segment(i->MemorySegment);
        bool repeats = Repeats(i);
        ulong count = repeats ? s->General[1] & mask : 1;
        if (repeats && count == 0 && mask == uint.MaxValue)
            SetMasked(s, 1, 0, mask);
        for (ulong left = Limit(s); count != 0 && left != 0; left--)
        {
            ulong offset = s->General[6] & mask;
            if (!cpu.Linear(segment, offset, sizeof(T), false, out ulong linear) || !cpu.Read(linear, out T value))
                return cpu.Stopped;
            Width.Set(s, 0, value);
            SetMasked(s, 6, offset + step, mask);
            count--;
            if (repeats)
            {
                SetMasked(s, 1, count, mask);
                cpu.ClearAnswers();
                if (s->PollLimit == 0)
                    break;
            }
        }
        return repeats ? Finish(cpu, s, count) : Outcome.Next;
    }

    private static Outcome Move<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong mask = Mask(i->Op0Kind);
        ulong step = Step<T>(s);
        int segment = Operands.Segment(i->MemorySegment);
        bool repeats = Repeats(i);
        ulong count = repeats ? s->General[1] & mask : 1;
        if (repeats && count == 0 && mask == uint.MaxValue)
            SetMasked(s, 1, 0, mask);
        ulong left = Limit(s);
        while (count != 0 && left != 0)
        {
            ulong from = s->General[6] & mask, to = s->General[7] & mask;
            if (!cpu.Linear(segment, from, sizeof(T), false, out ulong source))
                return cpu.Stopped;
            // The source is read before anything is said about the target.
            if (!cpu.Linear(SegmentIndex.Es, to, sizeof(T), true, out ulong target))
                return cpu.Read(source, out T _) ? cpu.RaiseGeneralProtection() : cpu.Stopped;
            ulong chunk = 1;
            byte* q = null, p = null;
            if (repeats && step == (ulong)sizeof(T))
            {
                chunk = Math.Min(Chunk<T>(source, from, mask, Math.Min(count, left)), Chunk<T>(target, to, mask, Math.Min(count, left)));
                ulong bytes = chunk * (ulong)sizeof(T);
                if (chunk > 1 && InLimit(cpu, segment, from, bytes, false) && InLimit(cpu, SegmentIndex.Es, to, bytes, true))
                {
                    q = ReadPage(cpu, s, source);
                    p = q == null ? null : WritePage(cpu, s, target);
                }
            }
            if (p != null)
            {
                CopyUp<T>(q, p, chunk);
            }
            else
            {
                chunk = 1;
                if (!cpu.Read(source, out T value) || !cpu.Write(target, value))
                    return cpu.Stopped;
            }
            count -= chunk;
            left -= chunk;
            SetMasked(s, 6, from + (step * chunk), mask);
            SetMasked(s, 7, to + (step * chunk), mask);
            if (!repeats)
                return Outcome.Next;
            SetMasked(s, 1, count, mask);
            if (p == null)
            {
                cpu.ClearAnswers();
                if (cpu.CodeChanged || s->PollLimit == 0)
                    break;
            }
        }
        return repeats ? Finish(cpu, s, count) : Outcome.Next;
    }

    /// <summary>Copies upwards as the instruction does: a target just above its source repeats the pattern between them.</summary>
    private static void CopyUp<T>(byte* source, byte* target, ulong count)
        where T : unmanaged
    {
        ulong bytes = count * (ulong)sizeof(T);
        ulong distance = (ulong)(target - source);
        if (distance >= bytes)
        {
            // No overlap, or the target lies below: moving and repeating are the same.
            Buffer.MemoryCopy(source, target, bytes, bytes);
            return;
        }
        for (ulong n = 0; n < count; n++)
            Unsafe.WriteUnaligned(target + (n * (ulong)sizeof(T)), Unsafe.ReadUnaligned<T>(source + (n * (ulong)sizeof(T))));
    }
}
