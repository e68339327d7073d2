using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>The soft-TLB probe of the compact handlers, and addresses for their slow paths.</summary>
// SAFETY: an entry's addend leads into a mapped page; the compare keeps the access inside it.
internal static unsafe class MemoryAccess
{
    /// <summary>The soft TLB entry that a read must match.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TlbEntry* ReadEntry(VcpuState* s, ulong linear) =>
        (TlbEntry*)((byte*)s->ReadTlb + ((linear >> 8) & ((SoftTlb.Entries - 1) << 4)));

    /// <summary>The soft TLB entry that a write must match. A page that may be written may be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TlbEntry* WriteEntry(VcpuState* s, ulong linear) =>
        (TlbEntry*)((byte*)s->WriteTlb + ((linear >> 8) & ((SoftTlb.Entries - 1) << 4)));

    /// <summary>The entry is for another page, or the access runs over the page's end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Misses(TlbEntry* entry, ulong linear, int size) => linear - entry->Tag > (ulong)(4096 - size);

    /// <summary>Host address of an access that hits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Host(TlbEntry* entry, ulong linear) => (byte*)(linear + (ulong)entry->Addend);

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
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static byte* SlowRead(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int size) =>
        Linear(cpu, s, op, size, false, out ulong linear) ? cpu.ReadPointer(linear, size) : null;

    /// <summary>
    /// Host address (or copy) of a read-modify-write with every check; null: stop. <see cref="ProcessorCore.EndModify"/> must follow.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static byte* SlowModify(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int size) =>
        Linear(cpu, s, op, size, true, out ulong linear) ? cpu.BeginModify(linear, size) : null;

    /// <summary>Stores with every check. False: stop.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool SlowStore<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, T value)
        where T : unmanaged => Linear(cpu, s, op, sizeof(T), true, out ulong linear) && cpu.Write(linear, value);
}
