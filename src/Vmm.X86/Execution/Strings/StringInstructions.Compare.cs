using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal static unsafe partial class StringInstructions
{
    private static Outcome Scan<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong mask = Mask(i->Op1Kind);
        ulong step = Step<T>(s);
        T a = Width.From<T>(s->General[0]);
        bool repeats = Repeats(i), wanted = !i->HasRepnePrefix;
        ulong count = repeats ? s->General[1] & mask : 1;
        if (repeats && count == 0 && mask == uint.MaxValue)
            SetMasked(s, 1, 0, mask);
        for (ulong left = Limit(s); count != 0 && left != 0; left--)
        {
            ulong offset = s->General[7] & mask;
            if (!cpu.Linear(SegmentIndex.Es, offset, sizeof(T), false, out ulong linear) || !cpu.Read(linear, out T b))
                return cpu.Stopped;
            Compare.SetFlags(s, a, b, a - b);
            SetMasked(s, 7, offset + step, mask);
            count--;
            if (!repeats)
                return Outcome.Next;
            SetMasked(s, 1, count, mask);
            if (a == b != wanted)
                return Finish(cpu, s, 0);
            cpu.ClearAnswers();
            if (s->PollLimit == 0)
                break;
        }
        return Finish(cpu, s, count);
    }

    private static Outcome CompareStrings<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong mask = Mask(i->Op1Kind);
        ulong step = Step<T>(s);
        int segment = Operands.Segment(i->MemorySegment);
        bool repeats = Repeats(i), wanted = !i->HasRepnePrefix;
        ulong count = repeats ? s->General[1] & mask : 1;
        if (repeats && count == 0 && mask == uint.MaxValue)
            SetMasked(s, 1, 0, mask);
        for (ulong left = Limit(s); count != 0 && left != 0; left--)
        {
            ulong first = s->General[6] & mask, second = s->General[7] & mask;
            if (!cpu.Linear(segment, first, sizeof(T), false, out ulong linear) || !cpu.Read(linear, out T a))
                return cpu.Stopped;
            if (!cpu.Linear(SegmentIndex.Es, second, sizeof(T), false, out linear) || !cpu.Read(linear, out T b))
                return cpu.Stopped;
            Compare.SetFlags(s, a, b, a - b);
            SetMasked(s, 6, first + step, mask);
            SetMasked(s, 7, second + step, mask);
            count--;
            if (!repeats)
                return Outcome.Next;
            SetMasked(s, 1, count, mask);
            if (a == b != wanted)
                return Finish(cpu, s, 0);
            cpu.ClearAnswers();
            if (s->PollLimit == 0)
                break;
        }
        return Finish(cpu, s, count);
    }

    /// <summary>Whether a whole chunk passes the segment's checks without recording a fault.</summary>
    private static bool InLimit(ProcessorCore cpu, int segment, ulong offset, ulong bytes, bool write) =>
        cpu.Is64Bit || cpu.LinearAllowed(segment, offset, (int)bytes, write);

    /// <summary>Host address of a readable byte in the soft TLB; null when the page is not there or not plain memory.</summary>
    private static byte* ReadPage(ProcessorCore cpu, VcpuState* s, ulong linear)
    {
        if (cpu.HasAnswers)
            return null;
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        return MemoryAccess.Misses(entry, linear, 1) ? null : MemoryAccess.Host(entry, linear);
    }

    /// <summary>Host address of a writable byte in the soft TLB; null when the page is not there or not plain memory.</summary>
    private static byte* WritePage(ProcessorCore cpu, VcpuState* s, ulong linear)
    {
        if (cpu.HasAnswers)
            return null;
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        return MemoryAccess.Misses(entry, linear, 1) ? null : MemoryAccess.Host(entry, linear);
    }
}
