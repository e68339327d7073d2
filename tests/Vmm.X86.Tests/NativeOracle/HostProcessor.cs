using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Vmm.X86.Tests.NativeOracle;

/// <summary>Says whether this process may run x86-64 instructions of its own making, and skips the test where it may not.</summary>
internal static class HostProcessor
{
    public static bool IsAvailable { get; } = Probe(out s_reason);

    private static readonly string s_reason;

    /// <summary>
    /// An AMD processor: the maker on whose processors the answers were established that the manuals leave open (undefined condition
    /// codes, recorded
    /// pointers, results outside a function's domain). On others the tests compare only what the manuals define.
    /// </summary>
    public static bool IsAmd { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0) is (_, 0x6874_7541, 0x444D_4163, 0x6974_6E65);

    /// <summary>Skips with the reason, or fails when VMM_REQUIRE names x86-64.</summary>
    public static void Require()
    {
        if (!IsAvailable)
            OutsideTool.Missing("x86-64", $"{s_reason}; run the tests on an x86-64 machine that allows executable memory");
    }

    private static bool Probe(out string reason)
    {
        reason = string.Empty;
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            reason = $"the process is {RuntimeInformation.ProcessArchitecture}, not x86-64";
            return false;
        }

        try
        {
            using ExecutableMemory memory = new(4096);
            return true;
        }
        catch (IOException e)
        {
            reason = e.Message;
            return false;
        }
    }
}
