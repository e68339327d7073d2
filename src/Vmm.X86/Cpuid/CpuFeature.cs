namespace Vmm.X86;

#pragma warning disable CS1591 // the names are the manual's

/// <summary>
/// CPUID feature bits that the processor core looks at: word number times 32 plus bit. Words: 0 = leaf 1 EDX, 1 = leaf 1 ECX, 2 = leaf 7
/// EBX, 3 = leaf 7 ECX, 4 = leaf 7 EDX, 5 = leaf 0x80000001 EDX, 6 = leaf 0x80000001 ECX, 7 = leaf 0xD subleaf 1 EAX, 8 = leaf 0x80000008
/// EBX.
/// </summary>
public enum CpuFeature
{
    Fpu = 0, Vme = 1, DebuggingExtensions = 2, PageSizeExtension = 3, TimeStampCounter = 4, ModelSpecificRegisters = 5,
    PhysicalAddressExtension = 6, MachineCheck = 7, CompareExchange8 = 8, Apic = 9, Sysenter = 11, Mtrr = 12, PageGlobal = 13,
    MachineCheckArchitecture = 14, ConditionalMove = 15, PageAttributeTable = 16, PageSizeExtension36 = 17, CacheLineFlush = 19, Mmx = 23,
    FxSave = 24, Sse = 25, Sse2 = 26, HyperThreading = 28,

    Sse3 = 32 + 0, CarrylessMultiply = 32 + 1, Monitor = 32 + 3, SupplementalSse3 = 32 + 9, Fma = 32 + 12, CompareExchange16 = 32 + 13,
    PerformanceCapabilities = 32 + 15, Pcid = 32 + 17, Sse41 = 32 + 19, Sse42 = 32 + 20, X2Apic = 32 + 21, Movbe = 32 + 22,
    PopulationCount = 32 + 23, TscDeadline = 32 + 24, Aes = 32 + 25, Xsave = 32 + 26, Avx = 32 + 28, F16C = 32 + 29, RandomNumber = 32 + 30,
    Hypervisor = 32 + 31,

    FsGsBase = 64 + 0, TscAdjust = 64 + 1, Bmi1 = 64 + 3, Avx2 = 64 + 5, Smep = 64 + 7, Bmi2 = 64 + 8, Invpcid = 64 + 10,
    RandomSeed = 64 + 18,
    Adx = 64 + 19, Smap = 64 + 20, CacheLineFlushOptimized = 64 + 23, CacheLineWriteBack = 64 + 24, Sha = 64 + 29,

    Umip = 96 + 2, ProtectionKeys = 96 + 3, Gfni = 96 + 8, Vaes = 96 + 9, VectorCarrylessMultiply = 96 + 10, La57 = 96 + 16,
    ReadProcessorId = 96 + 22, CacheLineDemote = 96 + 25, MoveDirect = 96 + 27, MoveDirect64 = 96 + 28,

    Serialize = 128 + 14, SpeculationControl = 128 + 26, SingleThreadPredictors = 128 + 27, ArchitecturalCapabilities = 128 + 29,

    Syscall = 160 + 11, NoExecute = 160 + 20, FastFxSave = 160 + 25, GigabytePages = 160 + 26, Rdtscp = 160 + 27, LongMode = 160 + 29,

    LahfSahf = 192 + 0, SecureVirtualMachine = 192 + 2, AlternativeCr8 = 192 + 4, LeadingZeroCount = 192 + 5, Sse4A = 192 + 6,
    Prefetchw = 192 + 8, MonitorX = 192 + 29,

    XsaveOptimized = 224 + 0, XsaveCompacted = 224 + 1, Xgetbv1 = 224 + 2, XsaveSupervisor = 224 + 3,

    CacheLineZero = 256 + 0, WriteBackNoInvalidate = 256 + 9,
}
