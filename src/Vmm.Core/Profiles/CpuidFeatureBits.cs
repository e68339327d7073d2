namespace Vmm;

/// <summary>CPUID leaf 1, EDX.</summary>
[Flags]
internal enum Leaf1Edx : uint
{
    Fpu = 1 << 0,
    DebuggingExtensions = 1 << 2,
    PageSizeExtension = 1 << 3,
    TimeStampCounter = 1 << 4,
    ModelSpecificRegisters = 1 << 5,
    PhysicalAddressExtension = 1 << 6,
    MachineCheckException = 1 << 7,
    CompareExchange8 = 1 << 8,
    Apic = 1 << 9,
    SysEnter = 1 << 11,
    MemoryTypeRanges = 1 << 12,
    PageGlobal = 1 << 13,
    MachineCheckArchitecture = 1 << 14,
    ConditionalMove = 1 << 15,
    PageAttributeTable = 1 << 16,
    PageSizeExtension36 = 1 << 17,
    CacheLineFlush = 1 << 19,
    Mmx = 1 << 23,
    FxSave = 1 << 24,
    Sse = 1 << 25,
    Sse2 = 1 << 26,
}

/// <summary>CPUID leaf 1, ECX.</summary>
[Flags]
internal enum Leaf1Ecx : uint
{
    Sse3 = 1 << 0,
    CarrylessMultiply = 1 << 1,
    Ssse3 = 1 << 9,
    FusedMultiplyAdd = 1 << 12,
    CompareExchange16 = 1 << 13,
    Pcid = 1 << 17,
    Sse41 = 1 << 19,
    Sse42 = 1 << 20,
    X2Apic = 1 << 21,
    Movbe = 1 << 22,
    PopulationCount = 1 << 23,
    TscDeadline = 1 << 24,
    Aes = 1 << 25,
    Xsave = 1 << 26,
    Avx = 1 << 28,
    HalfPrecision = 1 << 29,
    Hypervisor = 1U << 31,
}

/// <summary>CPUID leaf 7 subleaf 0, EBX.</summary>
[Flags]
internal enum Leaf7Ebx : uint
{
    None = 0,
    FsGsBase = 1 << 0,
    Bmi1 = 1 << 3,
    Avx2 = 1 << 5,
    Smep = 1 << 7,
    Bmi2 = 1 << 8,
    InvalidatePcid = 1 << 10,
    Smap = 1 << 20,
}

/// <summary>CPUID leaf 7 subleaf 0, ECX.</summary>
[Flags]
internal enum Leaf7Ecx : uint
{
    None = 0,
    Umip = 1 << 2,
}

/// <summary>CPUID leaf 0x80000001, ECX.</summary>
[Flags]
internal enum Leaf80000001Ecx : uint
{
    LahfSahf = 1 << 0,
    LeadingZeroCount = 1 << 5,
}

/// <summary>CPUID leaf 0x80000001, EDX.</summary>
[Flags]
internal enum Leaf80000001Edx : uint
{
    Syscall = 1 << 11,
    NoExecute = 1 << 20,
    ReadTscp = 1 << 27,
    LongMode = 1 << 29,
}
