using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>Which model-specific registers a processor has for its client, and what they take.</summary>
internal static class KvmMsrs
{
    /// <summary>Whether the register is one of the contract's.</summary>
    public static bool IsKept(uint msr) => msr switch
    {
        MsrNumber.TimeStampCounter or MsrNumber.TscAdjust or MsrNumber.TscDeadline or MsrNumber.TscAux => true,
        MsrNumber.MtrrCapability or MsrNumber.MtrrDefaultType or MsrNumber.MtrrFixed64K or MsrNumber.MtrrFixed16KLow
            or MsrNumber.MtrrFixed16KHigh => true,
        (>= MsrNumber.MtrrFixed4KFirst and <= MsrNumber.MtrrFixed4KLast)
            or (>= MsrNumber.MtrrVariableFirst and <= MsrNumber.MtrrVariableLast) => true,
        MsrNumber.SysenterCs or MsrNumber.SysenterEsp or MsrNumber.SysenterEip or MsrNumber.Pat or MsrNumber.Efer or MsrNumber.Star => true,
        MsrNumber.Lstar or MsrNumber.Cstar or MsrNumber.SyscallMask or MsrNumber.FsBase or MsrNumber.GsBase
            or MsrNumber.KernelGsBase => true,
        MsrNumber.BiosSignature or MsrNumber.PlatformId or MsrNumber.PlatformInformation or MsrNumber.MachineCheckCapability => true,
        MsrNumber.MachineCheckStatus or MsrNumber.DebugControl or MsrNumber.MiscEnable => true,
        _ => false,
    };

    /// <summary>Whether WRMSR would take a value: the kernel takes some from its user that no guest could write (SDM Vol. 4 2.1).</summary>
    public static bool IsPossible(uint msr, ulong value, CpuidModel model) => msr switch
    {
        MsrNumber.Lstar or MsrNumber.Cstar or MsrNumber.KernelGsBase or MsrNumber.SysenterEsp
            or MsrNumber.SysenterEip => model.IsCanonicalBase(value),
        MsrNumber.FsBase or MsrNumber.GsBase => model.IsCanonicalBase(value),
        MsrNumber.SyscallMask or MsrNumber.TscAux => value >> 32 == 0,
        MsrNumber.Pat => IsPat(value),
        MsrNumber.MtrrCapability => false,
        _ => true,
    };

    /// <summary>What the registers with a power-on value of their own get at reset; the others of <see cref="Cleared"/> get zero.</summary>
    public const ulong PatAtPowerOn = 0x0007_0406_0007_0406, MiscEnableAtPowerOn = 1;

    /// <summary>The registers that reset clears, but for the time-stamp counter, which all processors start together.</summary>
    public static IEnumerable<uint> Cleared
    {
        get
        {
            yield return MsrNumber.TscAdjust;
            yield return MsrNumber.MtrrDefaultType;
            yield return MsrNumber.MtrrFixed64K;
            yield return MsrNumber.MtrrFixed16KLow;
            yield return MsrNumber.MtrrFixed16KHigh;
            for (uint msr = MsrNumber.MtrrFixed4KFirst; msr <= MsrNumber.MtrrFixed4KLast; msr++)
                yield return msr;
            for (uint msr = MsrNumber.MtrrVariableFirst; msr <= MsrNumber.MtrrVariableLast; msr++)
                yield return msr;
            yield return MsrNumber.SysenterCs;
            yield return MsrNumber.SysenterEsp;
            yield return MsrNumber.SysenterEip;
            yield return MsrNumber.Star;
            yield return MsrNumber.Lstar;
            yield return MsrNumber.Cstar;
            yield return MsrNumber.SyscallMask;
            yield return MsrNumber.KernelGsBase;
            yield return MsrNumber.TscAux;
        }
    }

    private static bool IsPat(ulong value)
    {
        for (int i = 0; i < 8; i++)
        {
            if ((value >> (8 * i) & 0xFF) is not (0 or 1 or 4 or 5 or 6 or 7))
                return false;
        }
        return true;
    }
}
