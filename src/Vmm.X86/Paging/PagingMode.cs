using System.Runtime.CompilerServices;

namespace Vmm.X86.Paging;

/// <summary>
/// Everything a walk needs to know of CR0, CR3, CR4 and EFER, worked out once when one of them changes. A value; make a new one after
/// a change. EFLAGS.AC is not part of it: it travels with each access.
/// </summary>
public readonly struct PagingMode
{
    private const ulong Cr0WriteProtect = 1UL << 16;
    private const ulong Cr0Paging = 1UL << 31;
    private const ulong Cr4PageSizeExtensions = 1UL << 4;
    private const ulong Cr4PhysicalAddressExtension = 1UL << 5;
    private const ulong Cr4PageGlobal = 1UL << 7;
    private const ulong Cr4FiveLevel = 1UL << 12;
    private const ulong Cr4Smep = 1UL << 20;
    private const ulong Cr4Smap = 1UL << 21;
    private const ulong Cr4ProtectionKeys = 1UL << 22;
    private const ulong EferLongModeActive = 1UL << 10;
    private const ulong EferNoExecute = 1UL << 11;

    private readonly PaePointers _paePointers;

    /// <summary>Works out the mode from the registers.</summary>
    /// <param name="cr0">CR0: PG and WP are used.</param>
    /// <param name="cr3">CR3: the root; PCID and cache bits are ignored.</param>
    /// <param name="cr4">CR4: PSE, PAE, PGE, LA57, SMEP and SMAP are used.</param>
    /// <param name="efer">EFER: LMA and NXE are used.</param>
    /// <param name="features">What the processor has.</param>
    /// <param name="paePointers">The page-directory-pointer registers; used by PAE paging only.</param>
    /// <param name="pkru">PKRU; it counts with CR4.PKE in 4-level and 5-level paging only.</param>
    /// <exception cref="ArgumentOutOfRangeException">The physical-address width is not 32 to 52.</exception>
    public PagingMode(ulong cr0, ulong cr3, ulong cr4, ulong efer, in PagingFeatures features, in PaePointers paePointers = default,
        uint pkru = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(
            features.PhysicalAddressWidth, PagingFeatures.MinimumPhysicalAddressWidth, nameof(features));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            features.PhysicalAddressWidth, PagingFeatures.MaximumPhysicalAddressWidth, nameof(features));

        Structure = StructureOf(cr0, cr4, efer);
        bool noExecute = (efer & EferNoExecute) != 0 && Structure > PagingStructure.ThirtyTwoBit;
        KeyRights = (cr4 & Cr4ProtectionKeys) != 0 && Structure >= PagingStructure.FourLevel ? pkru : 0;
        WriteProtect = (cr0 & Cr0WriteProtect) != 0;
        NoExecute = noExecute;
        Smep = (cr4 & Cr4Smep) != 0;
        Smap = (cr4 & Cr4Smap) != 0;
        GlobalPages = (cr4 & Cr4PageGlobal) != 0;
        LargePages = Structure != PagingStructure.ThirtyTwoBit || (cr4 & Cr4PageSizeExtensions) != 0;
        FaultCodeMask = PageFaultCode.Write | PageFaultCode.User
            | (noExecute || Smep ? PageFaultCode.InstructionFetch : PageFaultCode.None);

        ulong beyondWidth = ulong.MaxValue << features.PhysicalAddressWidth;
        AddressMask = ~beyondWidth & PageEntry.PageMask;
        Reserved = beyondWidth & (Structure == PagingStructure.Pae ? ~PageEntry.ExecuteDisable : 0x000F_FFFF_FFFF_F000);
        if (!noExecute)
            Reserved |= PageEntry.ExecuteDisable;
        GigabyteReserved = Reserved | PageEntry.GigabyteReserved | (features.GigabytePages ? 0 : PageEntry.PageSize);
        FourMegabyteReserved = FourMegabyteReservedBits(features);
        Root = RootOf(Structure, cr3) & ~beyondWidth;
        _paePointers = paePointers;
    }

    /// <summary>The form of the paging structures.</summary>
    public PagingStructure Structure { get; }

    /// <summary>CR0.WP: supervisor-mode writes respect the R/W flags.</summary>
    public bool WriteProtect { get; }

    /// <summary>Entries have an XD flag: 8-byte entries and EFER.NXE.</summary>
    public bool NoExecute { get; }

    /// <summary>CR4.SMEP: supervisor-mode fetches from user-mode pages fault.</summary>
    public bool Smep { get; }

    /// <summary>CR4.SMAP: supervisor-mode data accesses to user-mode pages fault unless overridden.</summary>
    public bool Smap { get; }

    /// <summary>CR4.PGE: the G flag of a mapping entry counts.</summary>
    public bool GlobalPages { get; }

    /// <summary>
    /// PKRU where protection keys are in use, else 0: bit 2i forbids data accesses to user-mode pages of key i, bit 2i + 1 writes to them.
    /// </summary>
    public uint KeyRights { get; }

    /// <summary>Guest-physical address of the root structure; not used by PAE paging, whose root is the four registers.</summary>
    public ulong Root { get; }

    /// <summary>Whether the PS flag of a page-directory entry counts: always, except in 32-bit paging with CR4.PSE = 0.</summary>
    internal bool LargePages { get; }

    /// <summary>The bits of the access that a fault's error code repeats.</summary>
    internal PageFaultCode FaultCodeMask { get; }

    /// <summary>Bits 12 up to the physical-address width.</summary>
    internal ulong AddressMask { get; }

    /// <summary>Bits reserved in every present 8-byte entry.</summary>
    internal ulong Reserved { get; }

    /// <summary>Bits reserved in a PDPTE with PS set.</summary>
    internal ulong GigabyteReserved { get; }

    /// <summary>Bits reserved in a 4-byte PDE with PS set.</summary>
    internal uint FourMegabyteReserved { get; }

    /// <summary>A page-directory-pointer register.</summary>
    /// <param name="index">Bits 31:30 of the linear address.</param>
    /// <returns>Its value.</returns>
    public ulong PaePointer(int index) => _paePointers[index];

    /// <summary>What a page allows in this mode.</summary>
    /// <param name="entries">The AND of the R/W and U/S flags of every entry, and the OR of their XD flags.</param>
    /// <param name="smapOverride">Whether SMAP is overridden.</param>
    /// <returns>The rights for both privileges.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal PageRights RightsOf(ulong entries, bool smapOverride)
    {
        bool writable = (entries & PageEntry.Writable) != 0;
        bool executable = !NoExecute || (entries & PageEntry.ExecuteDisable) == 0;
#if VMM_MUTANTS
        executable |= Broken(Mutant.NoExecuteIgnored);
#endif
        PageRights rights = PageRights.None;
        if ((entries & PageEntry.User) == 0)
        {
            rights = PageRights.SupervisorRead;
            if (writable || !WriteProtect)
                rights |= PageRights.SupervisorWrite;
            return executable ? rights | PageRights.SupervisorExecute : rights;
        }

        rights = writable ? PageRights.UserRead | PageRights.UserWrite : PageRights.UserRead;
        if (!Smap || smapOverride)
            rights |= writable || !WriteProtect ? PageRights.SupervisorRead | PageRights.SupervisorWrite : PageRights.SupervisorRead;
        if (!executable)
            return rights;
        return rights | (Smep ? PageRights.UserExecute : PageRights.UserExecute | PageRights.SupervisorExecute);
    }

    /// <summary>The rights that the protection key of a user-mode page takes away (SDM Vol. 3A 4.6.2).</summary>
    /// <param name="entry">The mapping entry.</param>
    internal PageRights RefusedByKey(ulong entry)
    {
        uint bits = KeyRights >> ((int)(entry >> PageEntry.ProtectionKeyShift) & 15) * 2;
        if ((bits & 1) != 0)
            return PageRights.UserRead | PageRights.UserWrite | PageRights.SupervisorRead | PageRights.SupervisorWrite;
        if ((bits & 2) != 0)
            return WriteProtect ? PageRights.UserWrite | PageRights.SupervisorWrite : PageRights.UserWrite;
        return PageRights.None;
    }

    private static PagingStructure StructureOf(ulong cr0, ulong cr4, ulong efer)
    {
        if ((cr0 & Cr0Paging) == 0)
            return PagingStructure.None;
        if ((cr4 & Cr4PhysicalAddressExtension) == 0)
            return PagingStructure.ThirtyTwoBit;
        if ((efer & EferLongModeActive) == 0)
            return PagingStructure.Pae;
        return (cr4 & Cr4FiveLevel) != 0 ? PagingStructure.FiveLevel : PagingStructure.FourLevel;
    }

    private static ulong RootOf(PagingStructure structure, ulong cr3) => structure switch
    {
        PagingStructure.ThirtyTwoBit => cr3 & PageEntry.ThirtyTwoBitRootMask,
        PagingStructure.Pae => cr3 & PageEntry.PaeRootMask,
        _ => cr3 & 0x000F_FFFF_FFFF_F000,
    };

    private static uint FourMegabyteReservedBits(in PagingFeatures features)
    {
        // SDM Vol. 3A table 4-4: with M = min(40, MAXPHYADDR), bits (M-20):13 are address bits (M-1):32 and bits 21:(M-19) are reserved.
        int addressBits = features.PageSizeExtension36 ? Math.Min((int)features.PhysicalAddressWidth, 40) - 32 : 0;
        uint address = ((1u << addressBits) - 1) << PageEntry.PageSizeExtensionShift;
        return PageEntry.FourMegabyteHighField & ~address;
    }
}
