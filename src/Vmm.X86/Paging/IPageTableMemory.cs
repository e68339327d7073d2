namespace Vmm.X86.Paging;

/// <summary>
/// Guest-physical memory as a page walk needs it: single entries, each reached through the second level of translation, each able to
/// fail. Implemented by a struct (a <c>ref struct</c> may do) and used through a generic constraint, so that no call is virtual.
/// </summary>
/// <remarks>
/// Addresses are naturally aligned, so an entry never crosses a page. Reads and exchanges are atomic. With accessed and dirty flags in
/// the second level a processor makes these accesses with the rights of a write (SDM Vol. 3C 29.3.3.2; APM Vol. 2 15.25.5). An
/// implementation that fails keeps the reason for its owner; the walker hands back only the address.
/// </remarks>
public interface IPageTableMemory
{
    /// <summary>Reads an 8-byte entry.</summary>
    /// <param name="physicalAddress">Guest-physical address, a multiple of 8.</param>
    /// <param name="entry">The entry, or 0.</param>
    /// <returns>False when the second level refuses the access.</returns>
    bool TryRead(ulong physicalAddress, out ulong entry);

    /// <summary>Reads a 4-byte entry.</summary>
    /// <param name="physicalAddress">Guest-physical address, a multiple of 4.</param>
    /// <param name="entry">The entry, or 0.</param>
    /// <returns>False when the second level refuses the access.</returns>
    bool TryRead(ulong physicalAddress, out uint entry);

    /// <summary>Atomically replaces an 8-byte entry that still has the expected value.</summary>
    /// <param name="physicalAddress">Guest-physical address, a multiple of 8.</param>
    /// <param name="expected">The value the entry must have.</param>
    /// <param name="replacement">The value it gets.</param>
    /// <param name="observed">The value it had.</param>
    /// <returns>What happened.</returns>
    EntryExchange CompareExchange(ulong physicalAddress, ulong expected, ulong replacement, out ulong observed);

    /// <summary>Atomically replaces a 4-byte entry that still has the expected value.</summary>
    /// <param name="physicalAddress">Guest-physical address, a multiple of 4.</param>
    /// <param name="expected">The value the entry must have.</param>
    /// <param name="replacement">The value it gets.</param>
    /// <param name="observed">The value it had.</param>
    /// <returns>What happened.</returns>
    EntryExchange CompareExchange(ulong physicalAddress, uint expected, uint replacement, out uint observed);
}
