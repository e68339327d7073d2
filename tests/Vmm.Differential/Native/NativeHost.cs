using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Vmm.Differential.Native;

/// <summary>What the host must be for cases to run on it.</summary>
internal static class NativeHost
{
    /// <summary>Why the host cannot be the oracle; null when it can.</summary>
    public static string? Unsuitable { get; } = Find();

    /// <summary>An AMD processor: what the manuals leave open was established on these.</summary>
    public static bool IsAmd { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0) is (_, 0x6874_7541, 0x444D_4163, 0x6974_6E65);

    private static string? Find()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return $"the process is {RuntimeInformation.ProcessArchitecture}, not x86-64; run it on an x86-64 machine";
        if (!OperatingSystem.IsLinux())
            return $"the oracle is a Linux program and this is {RuntimeInformation.OSDescription}; run it on Linux";
        if (!Avx.IsSupported)
            return "the processor has no AVX or XSAVE, with which states are loaded; run it on a newer machine";
        return null;
    }
}
