namespace Vmm.X86.Execution;

/// <summary>The dynamic fields of a TSS, of either size (SDM Vol. 3A 8.2.1, 8.6).</summary>
// SAFETY: unsafe only for the fixed buffers inside it.
internal unsafe struct TaskState
{
    /// <summary>EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.</summary>
    public fixed uint General[8];

    /// <summary>ES, CS, SS, DS, FS, GS.</summary>
    public fixed ushort Segments[6];

    public uint Eip, Eflags, Cr3;

    public ushort Ldt, Trap;
}
