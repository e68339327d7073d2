using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Processor features, second bank.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64ProcessorFeatures1
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool ACountMCountSupport
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool TscInvariantSupport
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool ClZeroSupport
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool RdpruSupport
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool La57Support
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public bool MbecSupport
    {
        readonly get => (AsUInt64 & 0x20UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20UL : AsUInt64 & ~0x20UL;
    }

    public bool NestedVirtSupport
    {
        readonly get => (AsUInt64 & 0x40UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40UL : AsUInt64 & ~0x40UL;
    }

    public bool PsfdSupport
    {
        readonly get => (AsUInt64 & 0x80UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80UL : AsUInt64 & ~0x80UL;
    }

    public bool CetSsSupport
    {
        readonly get => (AsUInt64 & 0x100UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100UL : AsUInt64 & ~0x100UL;
    }

    public bool CetIbtSupport
    {
        readonly get => (AsUInt64 & 0x200UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200UL : AsUInt64 & ~0x200UL;
    }

    public bool VmxExceptionInjectSupport
    {
        readonly get => (AsUInt64 & 0x400UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400UL : AsUInt64 & ~0x400UL;
    }

    public bool UmwaitTpauseSupport
    {
        readonly get => (AsUInt64 & 0x1000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000UL : AsUInt64 & ~0x1000UL;
    }

    public bool MovdiriSupport
    {
        readonly get => (AsUInt64 & 0x2000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000UL : AsUInt64 & ~0x2000UL;
    }

    public bool Movdir64bSupport
    {
        readonly get => (AsUInt64 & 0x4000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000UL : AsUInt64 & ~0x4000UL;
    }

    public bool CldemoteSupport
    {
        readonly get => (AsUInt64 & 0x8000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000UL : AsUInt64 & ~0x8000UL;
    }

    public bool SerializeSupport
    {
        readonly get => (AsUInt64 & 0x10000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000UL : AsUInt64 & ~0x10000UL;
    }

    public bool TscDeadlineTmrSupport
    {
        readonly get => (AsUInt64 & 0x20000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000UL : AsUInt64 & ~0x20000UL;
    }

    public bool TscAdjustSupport
    {
        readonly get => (AsUInt64 & 0x40000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000UL : AsUInt64 & ~0x40000UL;
    }

    public bool FZLRepMovsb
    {
        readonly get => (AsUInt64 & 0x80000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000UL : AsUInt64 & ~0x80000UL;
    }

    public bool FSRepStosb
    {
        readonly get => (AsUInt64 & 0x100000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000UL : AsUInt64 & ~0x100000UL;
    }

    public bool FSRepCmpsb
    {
        readonly get => (AsUInt64 & 0x200000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000UL : AsUInt64 & ~0x200000UL;
    }

    public bool TsxLdTrkSupport
    {
        readonly get => (AsUInt64 & 0x400000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000UL : AsUInt64 & ~0x400000UL;
    }

    public bool VmxInsOutsExitInfoSupport
    {
        readonly get => (AsUInt64 & 0x800000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000UL : AsUInt64 & ~0x800000UL;
    }

    public bool SbdrSsdpNoSupport
    {
        readonly get => (AsUInt64 & 0x2000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000UL : AsUInt64 & ~0x2000000UL;
    }

    public bool FbsdpNoSupport
    {
        readonly get => (AsUInt64 & 0x4000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000UL : AsUInt64 & ~0x4000000UL;
    }

    public bool PsdpNoSupport
    {
        readonly get => (AsUInt64 & 0x8000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000000UL : AsUInt64 & ~0x8000000UL;
    }

    public bool FbClearSupport
    {
        readonly get => (AsUInt64 & 0x10000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000000UL : AsUInt64 & ~0x10000000UL;
    }

    public bool BtcNoSupport
    {
        readonly get => (AsUInt64 & 0x20000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000000UL : AsUInt64 & ~0x20000000UL;
    }

    public bool IbpbRsbFlushSupport
    {
        readonly get => (AsUInt64 & 0x40000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000000UL : AsUInt64 & ~0x40000000UL;
    }

    public bool StibpAlwaysOnSupport
    {
        readonly get => (AsUInt64 & 0x80000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000000UL : AsUInt64 & ~0x80000000UL;
    }

    public bool PerfGlobalCtrlSupport
    {
        readonly get => (AsUInt64 & 0x100000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000000UL : AsUInt64 & ~0x100000000UL;
    }

    public bool NptExecuteOnlySupport
    {
        readonly get => (AsUInt64 & 0x200000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000UL : AsUInt64 & ~0x200000000UL;
    }

    public bool NptADFlagsSupport
    {
        readonly get => (AsUInt64 & 0x400000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000000UL : AsUInt64 & ~0x400000000UL;
    }

    public bool Npt1GbPageSupport
    {
        readonly get => (AsUInt64 & 0x800000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000000UL : AsUInt64 & ~0x800000000UL;
    }

    public bool CmpccxaddSupport
    {
        readonly get => (AsUInt64 & 0x10000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000000000UL : AsUInt64 & ~0x10000000000UL;
    }

    public bool PrefetchISupport
    {
        readonly get => (AsUInt64 & 0x200000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000000UL : AsUInt64 & ~0x200000000000UL;
    }

    public bool Sha512Support
    {
        readonly get => (AsUInt64 & 0x400000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000000000UL : AsUInt64 & ~0x400000000000UL;
    }

    public bool SM3Support
    {
        readonly get => (AsUInt64 & 0x4000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000000000UL : AsUInt64 & ~0x4000000000000UL;
    }

    public bool SM4Support
    {
        readonly get => (AsUInt64 & 0x8000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000000000000UL : AsUInt64 & ~0x8000000000000UL;
    }

    public bool SbpbSupported
    {
        readonly get => (AsUInt64 & 0x40000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000000000000UL : AsUInt64 & ~0x40000000000000UL;
    }

    public bool IbpbBrTypeSupported
    {
        readonly get => (AsUInt64 & 0x80000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000000000000UL : AsUInt64 & ~0x80000000000000UL;
    }

    public bool SrsoNoSupported
    {
        readonly get => (AsUInt64 & 0x100000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000000000000UL : AsUInt64 & ~0x100000000000000UL;
    }

    public bool SrsoUserKernelNoSupported
    {
        readonly get => (AsUInt64 & 0x200000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000000000UL : AsUInt64 & ~0x200000000000000UL;
    }

    public bool LassSupport
    {
        readonly get => (AsUInt64 & 0x2000000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000000000000UL : AsUInt64 & ~0x2000000000000000UL;
    }

    public bool IdleHltInterceptSupport
    {
        readonly get => (AsUInt64 & 0x4000000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000000000000UL : AsUInt64 & ~0x4000000000000000UL;
    }

    public bool MsrListSupport
    {
        readonly get => (AsUInt64 & 0x8000000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000000000000000UL : AsUInt64 & ~0x8000000000000000UL;
    }
}
