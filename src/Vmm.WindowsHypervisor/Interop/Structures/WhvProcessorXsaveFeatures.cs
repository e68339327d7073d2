using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Extended state features.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvProcessorXsaveFeatures
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool XsaveSupport
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool XsaveoptSupport
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool AvxSupport
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool Avx2Support
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool FmaSupport
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public bool MpxSupport
    {
        readonly get => (AsUInt64 & 0x20UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20UL : AsUInt64 & ~0x20UL;
    }

    public bool Avx512Support
    {
        readonly get => (AsUInt64 & 0x40UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40UL : AsUInt64 & ~0x40UL;
    }

    public bool Avx512DQSupport
    {
        readonly get => (AsUInt64 & 0x80UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80UL : AsUInt64 & ~0x80UL;
    }

    public bool Avx512CDSupport
    {
        readonly get => (AsUInt64 & 0x100UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100UL : AsUInt64 & ~0x100UL;
    }

    public bool Avx512BWSupport
    {
        readonly get => (AsUInt64 & 0x200UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200UL : AsUInt64 & ~0x200UL;
    }

    public bool Avx512VLSupport
    {
        readonly get => (AsUInt64 & 0x400UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400UL : AsUInt64 & ~0x400UL;
    }

    public bool XsaveCompSupport
    {
        readonly get => (AsUInt64 & 0x800UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800UL : AsUInt64 & ~0x800UL;
    }

    public bool XsaveSupervisorSupport
    {
        readonly get => (AsUInt64 & 0x1000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000UL : AsUInt64 & ~0x1000UL;
    }

    public bool Xcr1Support
    {
        readonly get => (AsUInt64 & 0x2000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000UL : AsUInt64 & ~0x2000UL;
    }

    public bool Avx512BitalgSupport
    {
        readonly get => (AsUInt64 & 0x4000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000UL : AsUInt64 & ~0x4000UL;
    }

    public bool Avx512IfmaSupport
    {
        readonly get => (AsUInt64 & 0x8000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000UL : AsUInt64 & ~0x8000UL;
    }

    public bool Avx512VBmiSupport
    {
        readonly get => (AsUInt64 & 0x10000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000UL : AsUInt64 & ~0x10000UL;
    }

    public bool Avx512VBmi2Support
    {
        readonly get => (AsUInt64 & 0x20000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000UL : AsUInt64 & ~0x20000UL;
    }

    public bool Avx512VnniSupport
    {
        readonly get => (AsUInt64 & 0x40000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000UL : AsUInt64 & ~0x40000UL;
    }

    public bool GfniSupport
    {
        readonly get => (AsUInt64 & 0x80000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000UL : AsUInt64 & ~0x80000UL;
    }

    public bool VaesSupport
    {
        readonly get => (AsUInt64 & 0x100000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000UL : AsUInt64 & ~0x100000UL;
    }

    public bool Avx512VPopcntdqSupport
    {
        readonly get => (AsUInt64 & 0x200000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000UL : AsUInt64 & ~0x200000UL;
    }

    public bool VpclmulqdqSupport
    {
        readonly get => (AsUInt64 & 0x400000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000UL : AsUInt64 & ~0x400000UL;
    }

    public bool Avx512Bf16Support
    {
        readonly get => (AsUInt64 & 0x800000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000UL : AsUInt64 & ~0x800000UL;
    }

    public bool Avx512Vp2IntersectSupport
    {
        readonly get => (AsUInt64 & 0x1000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000000UL : AsUInt64 & ~0x1000000UL;
    }

    public bool Avx512Fp16Support
    {
        readonly get => (AsUInt64 & 0x2000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000UL : AsUInt64 & ~0x2000000UL;
    }

    public bool XfdSupport
    {
        readonly get => (AsUInt64 & 0x4000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000000UL : AsUInt64 & ~0x4000000UL;
    }

    public bool AmxTileSupport
    {
        readonly get => (AsUInt64 & 0x8000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8000000UL : AsUInt64 & ~0x8000000UL;
    }

    public bool AmxBf16Support
    {
        readonly get => (AsUInt64 & 0x10000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10000000UL : AsUInt64 & ~0x10000000UL;
    }

    public bool AmxInt8Support
    {
        readonly get => (AsUInt64 & 0x20000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20000000UL : AsUInt64 & ~0x20000000UL;
    }

    public bool AvxVnniSupport
    {
        readonly get => (AsUInt64 & 0x40000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40000000UL : AsUInt64 & ~0x40000000UL;
    }

    public bool AvxIfmaSupport
    {
        readonly get => (AsUInt64 & 0x80000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80000000UL : AsUInt64 & ~0x80000000UL;
    }

    public bool AvxNeConvertSupport
    {
        readonly get => (AsUInt64 & 0x100000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100000000UL : AsUInt64 & ~0x100000000UL;
    }

    public bool AvxVnniInt8Support
    {
        readonly get => (AsUInt64 & 0x200000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200000000UL : AsUInt64 & ~0x200000000UL;
    }

    public bool AvxVnniInt16Support
    {
        readonly get => (AsUInt64 & 0x400000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400000000UL : AsUInt64 & ~0x400000000UL;
    }

    public bool Avx10_1_256Support
    {
        readonly get => (AsUInt64 & 0x800000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800000000UL : AsUInt64 & ~0x800000000UL;
    }

    public bool Avx10_1_512Support
    {
        readonly get => (AsUInt64 & 0x1000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000000000UL : AsUInt64 & ~0x1000000000UL;
    }

    public bool AmxFp16Support
    {
        readonly get => (AsUInt64 & 0x2000000000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000000000UL : AsUInt64 & ~0x2000000000UL;
    }
}
