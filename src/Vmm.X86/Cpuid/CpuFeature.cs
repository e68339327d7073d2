namespace Vmm.X86;

/// <summary>
/// CPUID feature bits that the processor core looks at: word number times 32 plus bit. Words: 0 = leaf 1 EDX, 1 = leaf 1 ECX, 2 = leaf 7
/// EBX, 3 = leaf 7 ECX, 4 = leaf 7 EDX, 5 = leaf 0x80000001 EDX, 6 = leaf 0x80000001 ECX, 7 = leaf 0xD subleaf 1 EAX, 8 = leaf 0x80000008
/// EBX.
/// </summary>
public enum CpuFeature
{
    /// <summary>x87.</summary>
    Fpu = 0,

    /// <summary>Virtual-8086 extensions.</summary>
    Vme = 1,

    /// <summary>CR4.DE.</summary>
    DebuggingExtensions = 2,

    /// <summary>4 MiB pages.</summary>
    PageSizeExtension = 3,

    /// <summary>RDTSC.</summary>
    TimeStampCounter = 4,

    /// <summary>RDMSR and WRMSR.</summary>
    ModelSpecificRegisters = 5,

    /// <summary>PAE paging.</summary>
    PhysicalAddressExtension = 6,

    /// <summary>#MC and CR4.MCE.</summary>
    MachineCheck = 7,

    /// <summary>CMPXCHG8B.</summary>
    CompareExchange8 = 8,

    /// <summary>A local APIC.</summary>
    Apic = 9,

    /// <summary>SYSENTER and SYSEXIT.</summary>
    Sysenter = 11,

    /// <summary>Memory-type range registers.</summary>
    Mtrr = 12,

    /// <summary>Global pages.</summary>
    PageGlobal = 13,

    /// <summary>The machine-check MSRs.</summary>
    MachineCheckArchitecture = 14,

    /// <summary>CMOVcc, FCMOVcc.</summary>
    ConditionalMove = 15,

    /// <summary>IA32_PAT.</summary>
    PageAttributeTable = 16,

    /// <summary>4 MiB pages above 4 GiB.</summary>
    PageSizeExtension36 = 17,

    /// <summary>CLFLUSH.</summary>
    CacheLineFlush = 19,

    /// <summary>MMX.</summary>
    Mmx = 23,

    /// <summary>FXSAVE and FXRSTOR.</summary>
    FxSave = 24,

    /// <summary>SSE.</summary>
    Sse = 25,

    /// <summary>SSE2.</summary>
    Sse2 = 26,

    /// <summary>Several logical processors in a package.</summary>
    HyperThreading = 28,

    /// <summary>SSE3.</summary>
    Sse3 = 32 + 0,

    /// <summary>PCLMULQDQ.</summary>
    CarrylessMultiply = 32 + 1,

    /// <summary>MONITOR and MWAIT.</summary>
    Monitor = 32 + 3,

    /// <summary>SSSE3.</summary>
    SupplementalSse3 = 32 + 9,

    /// <summary>FMA.</summary>
    Fma = 32 + 12,

    /// <summary>CMPXCHG16B.</summary>
    CompareExchange16 = 32 + 13,

    /// <summary>IA32_PERF_CAPABILITIES.</summary>
    PerformanceCapabilities = 32 + 15,

    /// <summary>Process-context identifiers.</summary>
    Pcid = 32 + 17,

    /// <summary>SSE4.1.</summary>
    Sse41 = 32 + 19,

    /// <summary>SSE4.2.</summary>
    Sse42 = 32 + 20,

    /// <summary>x2APIC mode.</summary>
    X2Apic = 32 + 21,

    /// <summary>MOVBE.</summary>
    Movbe = 32 + 22,

    /// <summary>POPCNT.</summary>
    PopulationCount = 32 + 23,

    /// <summary>The local APIC timer's deadline mode.</summary>
    TscDeadline = 32 + 24,

    /// <summary>AESENC and its like.</summary>
    Aes = 32 + 25,

    /// <summary>XSAVE and XCR0.</summary>
    Xsave = 32 + 26,

    /// <summary>AVX.</summary>
    Avx = 32 + 28,

    /// <summary>Conversions of 16-bit floating point.</summary>
    F16C = 32 + 29,

    /// <summary>RDRAND.</summary>
    RandomNumber = 32 + 30,

    /// <summary>A hypervisor is there.</summary>
    Hypervisor = 32 + 31,

    /// <summary>RDFSBASE and its like.</summary>
    FsGsBase = 64 + 0,

    /// <summary>IA32_TSC_ADJUST.</summary>
    TscAdjust = 64 + 1,

    /// <summary>BMI1.</summary>
    Bmi1 = 64 + 3,

    /// <summary>AVX2.</summary>
    Avx2 = 64 + 5,

    /// <summary>CR4.SMEP.</summary>
    Smep = 64 + 7,

    /// <summary>BMI2.</summary>
    Bmi2 = 64 + 8,

    /// <summary>INVPCID.</summary>
    Invpcid = 64 + 10,

    /// <summary>RDSEED.</summary>
    RandomSeed = 64 + 18,

    /// <summary>ADCX and ADOX.</summary>
    Adx = 64 + 19,

    /// <summary>CR4.SMAP, CLAC and STAC.</summary>
    Smap = 64 + 20,

    /// <summary>CLFLUSHOPT.</summary>
    CacheLineFlushOptimized = 64 + 23,

    /// <summary>CLWB.</summary>
    CacheLineWriteBack = 64 + 24,

    /// <summary>SHA-1 and SHA-256 instructions.</summary>
    Sha = 64 + 29,

    /// <summary>CR4.UMIP.</summary>
    Umip = 96 + 2,

    /// <summary>Protection keys of user pages.</summary>
    ProtectionKeys = 96 + 3,

    /// <summary>Galois-field instructions.</summary>
    Gfni = 96 + 8,

    /// <summary>AES on vectors of 256 bits.</summary>
    Vaes = 96 + 9,

    /// <summary>VPCLMULQDQ on vectors of 256 bits.</summary>
    VectorCarrylessMultiply = 96 + 10,

    /// <summary>Five levels of paging.</summary>
    La57 = 96 + 16,

    /// <summary>RDPID.</summary>
    ReadProcessorId = 96 + 22,

    /// <summary>CLDEMOTE.</summary>
    CacheLineDemote = 96 + 25,

    /// <summary>MOVDIRI.</summary>
    MoveDirect = 96 + 27,

    /// <summary>MOVDIR64B.</summary>
    MoveDirect64 = 96 + 28,

    /// <summary>SERIALIZE.</summary>
    Serialize = 128 + 14,

    /// <summary>IA32_SPEC_CTRL.</summary>
    SpeculationControl = 128 + 26,

    /// <summary>Single-thread indirect branch predictors.</summary>
    SingleThreadPredictors = 128 + 27,

    /// <summary>IA32_ARCH_CAPABILITIES.</summary>
    ArchitecturalCapabilities = 128 + 29,

    /// <summary>SYSCALL and SYSRET.</summary>
    Syscall = 160 + 11,

    /// <summary>Pages can refuse execution.</summary>
    NoExecute = 160 + 20,

    /// <summary>FXSAVE may leave XMM registers out (EFER.FFXSR).</summary>
    FastFxSave = 160 + 25,

    /// <summary>1 GiB pages.</summary>
    GigabytePages = 160 + 26,

    /// <summary>RDTSCP.</summary>
    Rdtscp = 160 + 27,

    /// <summary>Intel 64.</summary>
    LongMode = 160 + 29,

    /// <summary>LAHF and SAHF in 64-bit mode.</summary>
    LahfSahf = 192 + 0,

    /// <summary>SVM.</summary>
    SecureVirtualMachine = 192 + 2,

    /// <summary>LOCK MOV CR0 stands for CR8.</summary>
    AlternativeCr8 = 192 + 4,

    /// <summary>LZCNT.</summary>
    LeadingZeroCount = 192 + 5,

    /// <summary>SSE4A.</summary>
    Sse4A = 192 + 6,

    /// <summary>PREFETCHW.</summary>
    Prefetchw = 192 + 8,

    /// <summary>MONITORX and MWAITX.</summary>
    MonitorX = 192 + 29,

    /// <summary>XSAVEOPT.</summary>
    XsaveOptimized = 224 + 0,

    /// <summary>XSAVEC and the compacted form.</summary>
    XsaveCompacted = 224 + 1,

    /// <summary>XGETBV with ECX = 1.</summary>
    Xgetbv1 = 224 + 2,

    /// <summary>XSAVES and IA32_XSS.</summary>
    XsaveSupervisor = 224 + 3,

    /// <summary>CLZERO.</summary>
    CacheLineZero = 256 + 0,

    /// <summary>WBNOINVD.</summary>
    WriteBackNoInvalidate = 256 + 9,
}
