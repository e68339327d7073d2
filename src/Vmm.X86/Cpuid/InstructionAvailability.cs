using System.Collections.Frozen;
using Iced.Intel;

namespace Vmm.X86;

/// <summary>Which of the decoder's instructions a CPUID model contains.</summary>
internal static class InstructionAvailability
{
    // Null: always there. A decoder feature that is not listed has no CPUID bit that this processor implements: never there.
    private static readonly FrozenDictionary<CpuidFeature, CpuFeature?> s_bits = new Dictionary<CpuidFeature, CpuFeature?>
    {
        [CpuidFeature.INTEL8086] = null,
        [CpuidFeature.INTEL8086_ONLY] = null,
        [CpuidFeature.INTEL186] = null,
        [CpuidFeature.INTEL286] = null,
        [CpuidFeature.INTEL386] = null,
        [CpuidFeature.INTEL486] = null,
        [CpuidFeature.CPUID] = null,
        [CpuidFeature.MULTIBYTENOP] = null,
        [CpuidFeature.PAUSE] = null,
        [CpuidFeature.FPU287] = null,
        [CpuidFeature.FPU387] = null,
        [CpuidFeature.RDPMC] = null,
        [CpuidFeature.OSS] = null,
        [CpuidFeature.SMM] = null,
        // The VMCALL and VMMCALL encodings belong to these; their handlers decide.
        [CpuidFeature.VMX] = null,
        [CpuidFeature.SVM] = null,
        // PREFETCHW is a hint, accepted by every x86-64 processor.
        [CpuidFeature.PREFETCHW] = null,
        [CpuidFeature.CLDEMOTE] = null,
        // Encodings in the space of hint NOPs: they do nothing where the feature is absent.
        [CpuidFeature.CET_IBT] = null,
        [CpuidFeature.MPX] = null,
        [CpuidFeature.PREFETCHWT1] = null,
        [CpuidFeature.PREFETCHITI] = null,
        [CpuidFeature.FPU] = CpuFeature.Fpu,
        [CpuidFeature.X64] = CpuFeature.LongMode,
        [CpuidFeature.ADX] = CpuFeature.Adx,
        [CpuidFeature.AES] = CpuFeature.Aes,
        [CpuidFeature.AVX] = CpuFeature.Avx,
        [CpuidFeature.AVX2] = CpuFeature.Avx2,
        [CpuidFeature.BMI1] = CpuFeature.Bmi1,
        [CpuidFeature.BMI2] = CpuFeature.Bmi2,
        [CpuidFeature.CLFLUSHOPT] = CpuFeature.CacheLineFlushOptimized,
        [CpuidFeature.CLFSH] = CpuFeature.CacheLineFlush,
        [CpuidFeature.CLWB] = CpuFeature.CacheLineWriteBack,
        [CpuidFeature.CMOV] = CpuFeature.ConditionalMove,
        [CpuidFeature.CMPXCHG16B] = CpuFeature.CompareExchange16,
        [CpuidFeature.CX8] = CpuFeature.CompareExchange8,
        [CpuidFeature.F16C] = CpuFeature.F16C,
        [CpuidFeature.FMA] = CpuFeature.Fma,
        [CpuidFeature.FSGSBASE] = CpuFeature.FsGsBase,
        [CpuidFeature.FXSR] = CpuFeature.FxSave,
        [CpuidFeature.GFNI] = CpuFeature.Gfni,
        [CpuidFeature.INVPCID] = CpuFeature.Invpcid,
        [CpuidFeature.LZCNT] = CpuFeature.LeadingZeroCount,
        [CpuidFeature.MMX] = CpuFeature.Mmx,
        [CpuidFeature.MONITOR] = CpuFeature.Monitor,
        [CpuidFeature.MONITORX] = CpuFeature.MonitorX,
        [CpuidFeature.MOVBE] = CpuFeature.Movbe,
        [CpuidFeature.MOVDIRI] = CpuFeature.MoveDirect,
        [CpuidFeature.MOVDIR64B] = CpuFeature.MoveDirect64,
        [CpuidFeature.MSR] = CpuFeature.ModelSpecificRegisters,
        [CpuidFeature.PCLMULQDQ] = CpuFeature.CarrylessMultiply,
        [CpuidFeature.PKU] = CpuFeature.ProtectionKeys,
        [CpuidFeature.POPCNT] = CpuFeature.PopulationCount,
        [CpuidFeature.RDPID] = CpuFeature.ReadProcessorId,
        [CpuidFeature.RDRAND] = CpuFeature.RandomNumber,
        [CpuidFeature.RDSEED] = CpuFeature.RandomSeed,
        [CpuidFeature.RDTSCP] = CpuFeature.Rdtscp,
        [CpuidFeature.SEP] = CpuFeature.Sysenter,
        [CpuidFeature.SERIALIZE] = CpuFeature.Serialize,
        [CpuidFeature.SHA] = CpuFeature.Sha,
        [CpuidFeature.SMAP] = CpuFeature.Smap,
        [CpuidFeature.SSE] = CpuFeature.Sse,
        [CpuidFeature.SSE2] = CpuFeature.Sse2,
        [CpuidFeature.SSE3] = CpuFeature.Sse3,
        [CpuidFeature.SSE4_1] = CpuFeature.Sse41,
        [CpuidFeature.SSE4_2] = CpuFeature.Sse42,
        [CpuidFeature.SSE4A] = CpuFeature.Sse4A,
        [CpuidFeature.SSSE3] = CpuFeature.SupplementalSse3,
        [CpuidFeature.SYSCALL] = CpuFeature.Syscall,
        [CpuidFeature.TSC] = CpuFeature.TimeStampCounter,
        [CpuidFeature.VAES] = CpuFeature.Vaes,
        [CpuidFeature.VPCLMULQDQ] = CpuFeature.VectorCarrylessMultiply,
        [CpuidFeature.WBNOINVD] = CpuFeature.WriteBackNoInvalidate,
        [CpuidFeature.XSAVE] = CpuFeature.Xsave,
        [CpuidFeature.XSAVEC] = CpuFeature.XsaveCompacted,
        [CpuidFeature.XSAVEOPT] = CpuFeature.XsaveOptimized,
        [CpuidFeature.XSAVES] = CpuFeature.XsaveSupervisor,
    }.ToFrozenDictionary();

    /// <summary>One entry a code: whether the model has it.</summary>
    public static bool[] Compute(CpuidModel model)
    {
        bool[] available = new bool[Enum.GetValues<Code>().Length];
        for (int code = 1; code < available.Length; code++)
        {
            bool all = true;
            foreach (CpuidFeature feature in ((Code)code).CpuidFeatures())
                all &= s_bits.TryGetValue(feature, out CpuFeature? bit) && (bit is not CpuFeature needed || model.Has(needed));
            // Reading the shadow stack pointer is a hint NOP on processors without shadow stacks.
            available[code] = all || (Code)code is Code.Rdsspd_r32 or Code.Rdsspq_r64;
        }
        return available;
    }
}
