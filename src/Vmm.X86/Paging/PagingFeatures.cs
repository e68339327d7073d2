namespace Vmm.X86.Paging;

/// <summary>What the processor's CPUID leaves say about paging: these decide which bits of an entry are reserved.</summary>
/// <param name="PhysicalAddressWidth">MAXPHYADDR in bits, 32 to 52 (CPUID 80000008H, EAX[7:0]).</param>
/// <param name="GigabytePages">1 GiB pages may be mapped (CPUID 80000001H, EDX[26]); otherwise bit 7 of a PDPTE is reserved.</param>
/// <param name="PageSizeExtension36">A 4 MiB page may lie above 4 GiB (CPUID 1, EDX[17], "PSE-36").</param>
public readonly record struct PagingFeatures(byte PhysicalAddressWidth, bool GigabytePages, bool PageSizeExtension36)
{
    /// <summary>The smallest physical-address width that an x86 processor has.</summary>
    public const byte MinimumPhysicalAddressWidth = 32;

    /// <summary>The largest physical-address width that the formats of the entries have room for.</summary>
    public const byte MaximumPhysicalAddressWidth = 52;
}
