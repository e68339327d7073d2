using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Interrupt shadow and NMI blocking.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64InterruptStateRegister
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool InterruptShadow
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool NmiMasked
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }
}
