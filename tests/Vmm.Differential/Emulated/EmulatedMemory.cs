using System.Runtime.InteropServices;

namespace Vmm.Differential.Emulated;

/// <summary>
/// Guest-physical memory with the page tables that make it look like the native program's address space: code that may only be executed and
/// read, data that may not be executed, a read-only page, holes between them, and one supervisor page for the task state.
/// </summary>
// SAFETY: one aligned allocation of Pages pages, alive until Dispose; offsets are constants inside it.
internal sealed unsafe class EmulatedMemory : IDisposable
{
    public const ulong TaskStateAddress = 0xFFFF_8000_0000_0000;
    public const int Pages = 20;
    private const int Root = 0, LowPointers = 1, LowDirectory = 2, CodeTable = 3, DataTable = 4, HighPointers = 5, HighDirectory = 6,
        HighTable = 7;
    private const int TaskState = 8, Code = 9, Data = 11, ReadOnly = 13;
    private const ulong Present = 1, Writable = 2, User = 4, NoExecute = 1UL << 63;
    private byte* _memory = (byte*)NativeMemory.AlignedAlloc(Pages * 4096, 4096);

    public EmulatedMemory(ReadOnlySpan<byte> readOnlyPage)
    {
        NativeMemory.Clear(_memory, Pages * 4096);
        Entry(Root, 0) = Table(LowPointers);
        Entry(LowPointers, 0) = Table(LowDirectory);
        Entry(LowDirectory, (int)(CaseLayout.CodeAddress >> 21)) = Table(CodeTable);
        Entry(LowDirectory, (int)(CaseLayout.DataAddress >> 21)) = Table(DataTable);
        Map(CodeTable, CaseLayout.CodeAddress, Code, Present | User);
        Map(CodeTable, CaseLayout.CodeAddress + 4096, Code + 1, Present | User);
        Map(DataTable, CaseLayout.DataAddress, Data, Present | Writable | User | NoExecute);
        Map(DataTable, CaseLayout.DataAddress + 4096, Data + 1, Present | Writable | User | NoExecute);
        Map(DataTable, CaseLayout.ReadOnlyAddress, ReadOnly, Present | User | NoExecute);
        Entry(Root, 256) = Table(HighPointers);
        Entry(HighPointers, 0) = Table(HighDirectory);
        Entry(HighDirectory, 0) = Table(HighTable);
        Map(HighTable, TaskStateAddress, TaskState, Present | Writable | NoExecute);
        *(ushort*)(_memory + (TaskState * 4096) + 0x66) = 0xFFFF; // no I/O permission bitmap
        readOnlyPage.CopyTo(new Span<byte>(_memory + (ReadOnly * 4096), CaseLayout.ReadOnlyLength));
        CodeBytes.Fill(CaseLayout.Filler);
    }

    public Span<byte> CodeBytes => new(_memory + (Code * 4096), CaseLayout.CodeLength);

    public Span<byte> DataBytes => new(_memory + (Data * 4096), CaseLayout.DataLength);

    /// <summary>Host address of a guest-physical page, or null.</summary>
    public byte* Page(ulong address) => address < Pages * 4096 ? _memory + (address & ~0xFFFUL) : null;

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private static ulong Table(int page) => ((ulong)page << 12) | Present | Writable | User;

    private ref ulong Entry(int page, int index) => ref ((ulong*)(_memory + (page * 4096)))[index];

    private void Map(int table, ulong address, int page, ulong bits) =>
        Entry(table, (int)(address >> 12) & 511) = ((ulong)page << 12) | bits;
}
