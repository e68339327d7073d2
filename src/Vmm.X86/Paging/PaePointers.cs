using System.Runtime.CompilerServices;

namespace Vmm.X86.Paging;

/// <summary>
/// The four internal page-directory-pointer registers of PAE paging (SDM Vol. 3A 4.4.1). A load of CR3 (and of CR0 or CR4 where that
/// turns PAE paging on or changes it) fills them from memory; walks use the registers and never read the memory again.
/// </summary>
[InlineArray(Count)]
public struct PaePointers
{
    /// <summary>There are four registers, one for each GiB of linear addresses.</summary>
    public const int Count = 4;

    private ulong _first;

    /// <summary>Reads the four entries that CR3 points to and checks them as a load of CR3 does.</summary>
    /// <typeparam name="TMemory">The memory seam.</typeparam>
    /// <param name="memory">Guest-physical memory.</param>
    /// <param name="cr3">The value that goes to CR3; bits 31:5 are the table's address.</param>
    /// <param name="features">The processor's MAXPHYADDR.</param>
    /// <param name="pointers">The registers' new contents; unspecified unless the load succeeded.</param>
    /// <param name="failingAddress">Guest-physical address of the entry that failed; 0 on success.</param>
    /// <returns>Whether the registers may be loaded, and if not, why.</returns>
    public static PaePointersLoad TryLoad<TMemory>(
        ref TMemory memory, ulong cr3, in PagingFeatures features, out PaePointers pointers, out ulong failingAddress)
        where TMemory : IPageTableMemory, allows ref struct
    {
        pointers = default;
        ulong table = cr3 & PageEntry.PaeRootMask;
        for (int i = 0; i < Count; i++)
        {
            failingAddress = table + ((ulong)i * 8);
            if (!memory.TryRead(failingAddress, out ulong entry))
                return PaePointersLoad.EntryUnreachable;
            if (!IsValid(entry, features))
                return PaePointersLoad.ReservedBit;
            pointers[i] = entry;
        }

        failingAddress = 0;
        return PaePointersLoad.Loaded;
    }

    /// <summary>Whether a register may have a value: a present one has no reserved bit set.</summary>
    /// <param name="pointer">The value of a register.</param>
    /// <param name="features">The processor's MAXPHYADDR.</param>
    /// <returns>False when loading it raises #GP(0).</returns>
    public static bool IsValid(ulong pointer, in PagingFeatures features)
    {
        ulong reserved = PageEntry.PaePointerReserved | (ulong.MaxValue << features.PhysicalAddressWidth);
        return (pointer & PageEntry.Present) == 0 || (pointer & reserved) == 0;
    }
}
