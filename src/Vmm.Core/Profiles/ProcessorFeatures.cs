namespace Vmm;

/// <summary>The feature words of a profile.</summary>
internal readonly record struct ProcessorFeatures(
    Leaf1Edx Basic, Leaf1Ecx Further, Leaf7Ebx Structured, Leaf7Ecx StructuredFurther, Leaf80000001Edx Extended,
    Leaf80000001Ecx ExtendedFurther, ulong Xcr0)
{
    /// <summary>x86-64 baseline, CMPXCHG16B, NX, SYSCALL, LAHF, x2APIC and the TSC deadline.</summary>
    internal static ProcessorFeatures V1 { get; } = new(
        Leaf1Edx.Fpu | Leaf1Edx.DebuggingExtensions | Leaf1Edx.PageSizeExtension | Leaf1Edx.TimeStampCounter | Leaf1Edx.ModelSpecificRegisters
            | Leaf1Edx.PhysicalAddressExtension | Leaf1Edx.MachineCheckException | Leaf1Edx.CompareExchange8 | Leaf1Edx.Apic | Leaf1Edx.SysEnter
            | Leaf1Edx.MemoryTypeRanges | Leaf1Edx.PageGlobal | Leaf1Edx.MachineCheckArchitecture | Leaf1Edx.ConditionalMove
            | Leaf1Edx.PageAttributeTable | Leaf1Edx.PageSizeExtension36 | Leaf1Edx.CacheLineFlush | Leaf1Edx.Mmx | Leaf1Edx.FxSave | Leaf1Edx.Sse
            | Leaf1Edx.Sse2,
        Leaf1Ecx.CompareExchange16 | Leaf1Ecx.X2Apic | Leaf1Ecx.TscDeadline | Leaf1Ecx.Hypervisor,
        Leaf7Ebx.None,
        Leaf7Ecx.None,
        Leaf80000001Edx.Syscall | Leaf80000001Edx.NoExecute | Leaf80000001Edx.LongMode,
        Leaf80000001Ecx.LahfSahf,
        0);

    /// <summary>V1 and psABI level 2, XSAVE for x87 and SSE, and the protections of its time.</summary>
    internal static ProcessorFeatures V2 { get; } = V1 with
    {
        Further = V1.Further | Leaf1Ecx.Sse3 | Leaf1Ecx.Ssse3 | Leaf1Ecx.Sse41 | Leaf1Ecx.Sse42 | Leaf1Ecx.PopulationCount | Leaf1Ecx.Xsave | Leaf1Ecx.Pcid,
        Structured = Leaf7Ebx.FsGsBase | Leaf7Ebx.Smep | Leaf7Ebx.InvalidatePcid | Leaf7Ebx.Smap,
        StructuredFurther = Leaf7Ecx.Umip,
        Extended = V1.Extended | Leaf80000001Edx.ReadTscp,
        Xcr0 = 3,
    };

    /// <summary>V2 and psABI level 3, with AES and carry-less multiplication.</summary>
    internal static ProcessorFeatures V3 { get; } = V2 with
    {
        Further = V2.Further | Leaf1Ecx.CarrylessMultiply | Leaf1Ecx.FusedMultiplyAdd | Leaf1Ecx.Movbe | Leaf1Ecx.Aes | Leaf1Ecx.Avx | Leaf1Ecx.HalfPrecision,
        Structured = V2.Structured | Leaf7Ebx.Bmi1 | Leaf7Ebx.Avx2 | Leaf7Ebx.Bmi2,
        ExtendedFurther = V2.ExtendedFurther | Leaf80000001Ecx.LeadingZeroCount,
        Xcr0 = 7,
    };
}
