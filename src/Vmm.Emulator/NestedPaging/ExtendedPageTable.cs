namespace Vmm.Emulator.NestedPaging;

/// <summary>Intel's extended page tables, with accessed and dirty flags on (SDM Vol. 3C 29.3).</summary>
internal sealed class ExtendedPageTable : RadixPageTable<EptFormat>
{
    /// <summary>The bound of table pages unless another is given: 256 MiB, enough for 128 GiB of guest in 4 KiB pages.</summary>
    public const int DefaultTablePageLimit = 65_536;

    /// <summary>Makes an empty table.</summary>
    /// <param name="executeOnly">Whether pages may be executable and not readable; otherwise such an entry is a misconfiguration.</param>
    /// <param name="gigabytePages">Whether 1 GiB pages may be used.</param>
    /// <param name="tablePageLimit">The most 4 KiB pages that the tables may take.</param>
    public ExtendedPageTable(bool executeOnly = true, bool gigabytePages = true, int tablePageLimit = DefaultTablePageLimit)
        : base(new EptFormat(executeOnly), gigabytePages, tablePageLimit)
    {
    }
}
