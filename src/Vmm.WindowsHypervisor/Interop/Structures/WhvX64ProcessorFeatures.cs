using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Processor features, first bank.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64ProcessorFeatures
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool Sse3Support
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool LahfSahfSupport
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool Ssse3Support
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool Sse4_1Support
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool Sse4_2Support
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public bool Sse4aSupport
    {
        readonly get => (AsUInt64 & 0x20UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20UL : AsUInt64 & ~0x20UL;
    }

    public bool XopSupport
    {
        readonly get => (AsUInt64 & 0x40UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40UL : AsUInt64 & ~0x40UL;
    }

    public bool PopCntSupport
    {
        readonly get => (AsUInt64 & 0x80UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80UL : AsUInt64 & ~0x80UL;
    }

    public bool Cmpxchg16bSupport
    {
        readonly get => (AsUInt64 & 0x100UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100UL : AsUInt64 & ~0x100UL;
    }

    public bool Altmovcr8Support
    {
        readonly get => (AsUInt64 & 0x200UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200UL : AsUInt64 & ~0x200UL;
    }

    public bool LzcntSupport
    {
        readonly get => (AsUInt64 & 0x400UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400UL : AsUInt64 & ~0x400UL;
    }

    public bool MisAlignSseSupport
    {
        readonly get => (AsUInt64 & 0x800UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800UL : AsUInt64 & ~0x800UL;
    }

    public bool MmxExtSupport
    {
        readonly get => (AsUInt64 & 0x1000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000UL : AsUInt64 & ~0x1000UL;
    }

    public bool Amd3DNowSupport
    {
        readonly get => (AsUInt64 & 0x2000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000UL : AsUInt64 & ~0x2000UL;
    }

    public bool ExtendedAmd3DNowSupport
    {
        readonly get => (AsUInt64 & 0x4000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000UL : AsUInt64 & ~0x4000UL;
    }

    public bool Page1GbSupport
    {
        readonly get => (AsUInt64 & 0x8000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000UL : AsUInt64 & ~0x8000UL;
    }

    public bool AesSupport
    {
        readonly get => (AsUInt64 & 0x10000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000UL : AsUInt64 & ~0x10000UL;
    }

    public bool PclmulqdqSupport
    {
        readonly get => (AsUInt64 & 0x20000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000UL : AsUInt64 & ~0x20000UL;
    }

    public bool PcidSupport
    {
        readonly get => (AsUInt64 & 0x40000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000UL : AsUInt64 & ~0x40000UL;
    }

    public bool Fma4Support
    {
        readonly get => (AsUInt64 & 0x80000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000UL : AsUInt64 & ~0x80000UL;
    }

    public bool F16CSupport
    {
        readonly get => (AsUInt64 & 0x100000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000UL : AsUInt64 & ~0x100000UL;
    }

    public bool RdRandSupport
    {
        readonly get => (AsUInt64 & 0x200000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000UL : AsUInt64 & ~0x200000UL;
    }

    public bool RdWrFsGsSupport
    {
        readonly get => (AsUInt64 & 0x400000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000UL : AsUInt64 & ~0x400000UL;
    }

    public bool SmepSupport
    {
        readonly get => (AsUInt64 & 0x800000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000UL : AsUInt64 & ~0x800000UL;
    }

    public bool EnhancedFastStringSupport
    {
        readonly get => (AsUInt64 & 0x1000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000000UL : AsUInt64 & ~0x1000000UL;
    }

    public bool Bmi1Support
    {
        readonly get => (AsUInt64 & 0x2000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000UL : AsUInt64 & ~0x2000000UL;
    }

    public bool Bmi2Support
    {
        readonly get => (AsUInt64 & 0x4000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000UL : AsUInt64 & ~0x4000000UL;
    }

    public bool MovbeSupport
    {
        readonly get => (AsUInt64 & 0x20000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000000UL : AsUInt64 & ~0x20000000UL;
    }

    public bool Npiep1Support
    {
        readonly get => (AsUInt64 & 0x40000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000000UL : AsUInt64 & ~0x40000000UL;
    }

    public bool DepX87FPUSaveSupport
    {
        readonly get => (AsUInt64 & 0x80000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000000UL : AsUInt64 & ~0x80000000UL;
    }

    public bool RdSeedSupport
    {
        readonly get => (AsUInt64 & 0x100000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000000UL : AsUInt64 & ~0x100000000UL;
    }

    public bool AdxSupport
    {
        readonly get => (AsUInt64 & 0x200000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000UL : AsUInt64 & ~0x200000000UL;
    }

    public bool IntelPrefetchSupport
    {
        readonly get => (AsUInt64 & 0x400000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000000UL : AsUInt64 & ~0x400000000UL;
    }

    public bool SmapSupport
    {
        readonly get => (AsUInt64 & 0x800000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000000UL : AsUInt64 & ~0x800000000UL;
    }

    public bool HleSupport
    {
        readonly get => (AsUInt64 & 0x1000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000000000UL : AsUInt64 & ~0x1000000000UL;
    }

    public bool RtmSupport
    {
        readonly get => (AsUInt64 & 0x2000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000000UL : AsUInt64 & ~0x2000000000UL;
    }

    public bool RdtscpSupport
    {
        readonly get => (AsUInt64 & 0x4000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000000UL : AsUInt64 & ~0x4000000000UL;
    }

    public bool ClflushoptSupport
    {
        readonly get => (AsUInt64 & 0x8000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000000000UL : AsUInt64 & ~0x8000000000UL;
    }

    public bool ClwbSupport
    {
        readonly get => (AsUInt64 & 0x10000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000000000UL : AsUInt64 & ~0x10000000000UL;
    }

    public bool ShaSupport
    {
        readonly get => (AsUInt64 & 0x20000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000000000UL : AsUInt64 & ~0x20000000000UL;
    }

    public bool X87PointersSavedSupport
    {
        readonly get => (AsUInt64 & 0x40000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000000000UL : AsUInt64 & ~0x40000000000UL;
    }

    public bool InvpcidSupport
    {
        readonly get => (AsUInt64 & 0x80000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000000000UL : AsUInt64 & ~0x80000000000UL;
    }

    public bool IbrsSupport
    {
        readonly get => (AsUInt64 & 0x100000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000000000UL : AsUInt64 & ~0x100000000000UL;
    }

    public bool StibpSupport
    {
        readonly get => (AsUInt64 & 0x200000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000000UL : AsUInt64 & ~0x200000000000UL;
    }

    public bool IbpbSupport
    {
        readonly get => (AsUInt64 & 0x400000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000000000UL : AsUInt64 & ~0x400000000000UL;
    }

    public bool UnrestrictedGuestSupport
    {
        readonly get => (AsUInt64 & 0x800000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000000000UL : AsUInt64 & ~0x800000000000UL;
    }

    public bool SsbdSupport
    {
        readonly get => (AsUInt64 & 0x1000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000000000000UL : AsUInt64 & ~0x1000000000000UL;
    }

    public bool FastShortRepMovSupport
    {
        readonly get => (AsUInt64 & 0x2000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000000000UL : AsUInt64 & ~0x2000000000000UL;
    }

    public bool RdclNo
    {
        readonly get => (AsUInt64 & 0x8000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000000000000UL : AsUInt64 & ~0x8000000000000UL;
    }

    public bool IbrsAllSupport
    {
        readonly get => (AsUInt64 & 0x10000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000000000000UL : AsUInt64 & ~0x10000000000000UL;
    }

    public bool SsbNo
    {
        readonly get => (AsUInt64 & 0x40000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000000000000UL : AsUInt64 & ~0x40000000000000UL;
    }

    public bool RsbANo
    {
        readonly get => (AsUInt64 & 0x80000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000000000000UL : AsUInt64 & ~0x80000000000000UL;
    }

    public bool RdPidSupport
    {
        readonly get => (AsUInt64 & 0x200000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000000000UL : AsUInt64 & ~0x200000000000000UL;
    }

    public bool UmipSupport
    {
        readonly get => (AsUInt64 & 0x400000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000000000000UL : AsUInt64 & ~0x400000000000000UL;
    }

    public bool MdsNoSupport
    {
        readonly get => (AsUInt64 & 0x800000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000000000000UL : AsUInt64 & ~0x800000000000000UL;
    }

    public bool MdClearSupport
    {
        readonly get => (AsUInt64 & 0x1000000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000000000000000UL : AsUInt64 & ~0x1000000000000000UL;
    }

    public bool TaaNoSupport
    {
        readonly get => (AsUInt64 & 0x2000000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000000000000UL : AsUInt64 & ~0x2000000000000000UL;
    }

    public bool TsxCtrlSupport
    {
        readonly get => (AsUInt64 & 0x4000000000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000000000000UL : AsUInt64 & ~0x4000000000000000UL;
    }
}
