namespace Vmm.Emulator.NestedPaging;

/// <summary>AMD's nested page tables (APM Vol. 2 15.25).</summary>
internal sealed class AmdNestedPageTable : RadixPageTable<NptFormat>
{
    /// <summary>Makes an empty table.</summary>
    /// <param name="gigabytePages">Whether 1 GiB pages may be used.</param>
    /// <param name="tablePageLimit">The most 4 KiB pages that the tables may take.</param>
    public AmdNestedPageTable(bool gigabytePages = true, int tablePageLimit = ExtendedPageTable.DefaultTablePageLimit)
        : base(default, gigabytePages, tablePageLimit)
    {
    }
}
