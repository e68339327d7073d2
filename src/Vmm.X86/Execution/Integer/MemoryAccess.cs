using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>The soft-TLB probe of the compact handlers, and addresses for their slow paths.</summary>
// SAFETY: an entry's addend leads into a mapped page; the compare keeps the access inside it.
internal static unsafe class MemoryAccess
{
    /// <summary>Host address of a read that hits the soft TLB, else null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ProbeRead(VcpuState* s, ulong linear, int size)
    {
        TlbEntry* e = (TlbEntry*)((byte*)s->ReadTlb + ((linear >> 8) & ((SoftTlb.Entries - 1) << 4)));
        return linear - e->Tag <= (ulong)(4096 - size) ? (byte*)(linear + (ulong)e->Addend) : null;
    }

    /// <summary>Host address of a write that hits the soft TLB, else null. A page that may be written may be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ProbeWrite(VcpuState* s, ulong linear, int size)
    {
        TlbEntry* e = (TlbEntry*)((byte*)s->WriteTlb + ((linear >> 8) & ((SoftTlb.Entries - 1) << 4)));
        return linear - e->Tag <= (ulong)(4096 - size) ? (byte*)(linear + (ulong)e->Addend) : null;
    }

    /// <summary>Offset part of an operation's memory operand, wrapped to its address size.</summary>
    public static ulong EffectiveAddress(VcpuState* s, DecodedOperation* op)
    {
        int form = op->Form;
        ulong offset = *(ulong*)((byte*)s + op->Base) + (*(ulong*)((byte*)s + op->Index) << (form & 3)) + (ulong)op->Displacement;
        if ((form & 0x80) != 0)
            offset += s->PageRip;
        return ((form >> 5) & 3) switch { 0 => (ushort)offset, 1 => (uint)offset, _ => offset };
    }

    /// <summary>Linear address of an operation's memory operand, with every check. False: stop.</summary>
    public static bool Linear(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int size, bool write, out ulong linear) =>
        cpu.Linear((op->Form >> 2) & 7, EffectiveAddress(s, op), size, write, out linear);

    /// <summary>Host address (or copy) of a read with every check; null: stop.</summary>
    public static byte* SlowRead(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int size) =>
        Linear(cpu, s, op, size, false, out ulong linear) ? cpu.ReadPointer(linear, size) : null;

    /// <summary>Host address (or copy) of a read-modify-write with every check; null: stop. <see cref="ProcessorCore.EndModify"/> must follow.</summary>
    public static byte* SlowModify(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int size) =>
        Linear(cpu, s, op, size, true, out ulong linear) ? cpu.BeginModify(linear, size) : null;

    /// <summary>Stores with every check. False: stop.</summary>
    public static bool SlowStore<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, T value)
        where T : unmanaged => Linear(cpu, s, op, sizeof(T), true, out ulong linear) && cpu.Write(linear, value);
}
