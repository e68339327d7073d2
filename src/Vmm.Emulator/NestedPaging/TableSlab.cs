using System.Runtime.InteropServices;

namespace Vmm.Emulator.NestedPaging;

/// <summary>A run of native table pages, freed as one.</summary>
internal sealed unsafe class TableSlab : SafeHandle
{
    /// <summary>Allocates a run of pages; their contents are unspecified.</summary>
    /// <exception cref="OutOfMemoryException">The host has no memory for it.</exception>
    public TableSlab(int pageCount)
        : base(0, true)
    {
        PageCount = pageCount;

        // SAFETY: a fresh block of pageCount pages, aligned to one, owned by this handle alone.
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)pageCount * TablePage.Size, TablePage.Size));
    }

    public int PageCount { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>A page of the run.</summary>
    public TablePage this[int index] => new((ulong)(handle + ((nint)index * TablePage.Size)));

    protected override bool ReleaseHandle()
    {
        // SAFETY: allocated by the constructor, freed once by the handle's protocol.
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
