using System.Collections.Frozen;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

/// <summary>The platform's names of registers, by group and by MSR number.</summary>
internal static class WhvRegisterNames
{
    private static readonly FrozenDictionary<uint, WhvRegisterName> s_msrs = Build().ToFrozenDictionary();

    public static readonly WhvRegisterName[] General =
        [.. Enumerable.Range((int)WhvRegisterName.Rax, 16).Select(name => (WhvRegisterName)name), WhvRegisterName.Rip, WhvRegisterName.Rflags];

    public static readonly WhvRegisterName[] Segments =
    [
        WhvRegisterName.Es, WhvRegisterName.Cs, WhvRegisterName.Ss, WhvRegisterName.Ds, WhvRegisterName.Fs, WhvRegisterName.Gs,
        WhvRegisterName.Ldtr, WhvRegisterName.Tr, WhvRegisterName.Gdtr, WhvRegisterName.Idtr,
    ];

    public static readonly WhvRegisterName[] Control =
        [WhvRegisterName.Cr0, WhvRegisterName.Cr2, WhvRegisterName.Cr3, WhvRegisterName.Cr4, WhvRegisterName.Cr8, WhvRegisterName.Efer];

    public static readonly WhvRegisterName[] Debug =
        [WhvRegisterName.Dr0, WhvRegisterName.Dr1, WhvRegisterName.Dr2, WhvRegisterName.Dr3, WhvRegisterName.Dr6, WhvRegisterName.Dr7];

    /// <summary>The last is one that the first releases of the platform do not know.</summary>
    public static readonly WhvRegisterName[] Events =
    [
        WhvRegisterName.InterruptState, WhvRegisterName.PendingInterruption, WhvRegisterName.PendingEvent,
        WhvRegisterName.PendingDebugException,
    ];

    /// <summary>Numbers of the MSRs that are registers of the platform.</summary>
    public static IEnumerable<uint> Msrs => s_msrs.Keys;

    /// <summary>The register that keeps an MSR.</summary>
    public static bool TryGetMsr(uint msr, out WhvRegisterName name) => s_msrs.TryGetValue(msr, out name);

    private static Dictionary<uint, WhvRegisterName> Build()
    {
        Dictionary<uint, WhvRegisterName> msrs = new()
        {
            [MsrNumber.TimeStampCounter] = WhvRegisterName.Tsc,
            [MsrNumber.MtrrCapability] = WhvRegisterName.MsrMtrrCap,
            [MsrNumber.MtrrDefaultType] = WhvRegisterName.MsrMtrrDefType,
            [MsrNumber.SysenterCs] = WhvRegisterName.SysenterCs,
            [MsrNumber.SysenterEsp] = WhvRegisterName.SysenterEsp,
            [MsrNumber.SysenterEip] = WhvRegisterName.SysenterEip,
            [MsrNumber.Pat] = WhvRegisterName.Pat,
            [MsrNumber.Efer] = WhvRegisterName.Efer,
            [MsrNumber.Star] = WhvRegisterName.Star,
            [MsrNumber.Lstar] = WhvRegisterName.Lstar,
            [MsrNumber.Cstar] = WhvRegisterName.Cstar,
            [MsrNumber.SyscallMask] = WhvRegisterName.Sfmask,
            [MsrNumber.KernelGsBase] = WhvRegisterName.KernelGsBase,
            [MsrNumber.TscAux] = WhvRegisterName.TscAux,
            [MsrNumber.MtrrFixed64K] = WhvRegisterName.MsrMtrrFix64k00000,
            [MsrNumber.MtrrFixed16KLow] = WhvRegisterName.MsrMtrrFix16k80000,
            [MsrNumber.MtrrFixed16KHigh] = WhvRegisterName.MsrMtrrFix16kA0000,
        };
        for (uint i = 0; i < 8; i++)
        {
            msrs[MsrNumber.MtrrFixed4KFirst + i] = WhvRegisterName.MsrMtrrFix4kC0000 + i;
            msrs[MsrNumber.MtrrVariableFirst + (2 * i)] = WhvRegisterName.MsrMtrrPhysBase0 + i;
            msrs[MsrNumber.MtrrVariableFirst + (2 * i) + 1] = WhvRegisterName.MsrMtrrPhysMask0 + i;
        }
        return msrs;
    }
}
