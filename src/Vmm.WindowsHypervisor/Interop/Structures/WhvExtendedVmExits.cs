using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exits beyond the basic ones (capability and property ExtendedVmExits).</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvExtendedVmExits
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool X64CpuidExit
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool X64MsrExit
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool ExceptionExit
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool X64RdtscExit
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool X64ApicSmiExitTrap
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public bool HypercallExit
    {
        readonly get => (AsUInt64 & 0x20UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20UL : AsUInt64 & ~0x20UL;
    }

    public bool X64ApicInitSipiExitTrap
    {
        readonly get => (AsUInt64 & 0x40UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40UL : AsUInt64 & ~0x40UL;
    }

    public bool X64ApicWriteLint0ExitTrap
    {
        readonly get => (AsUInt64 & 0x80UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80UL : AsUInt64 & ~0x80UL;
    }

    public bool X64ApicWriteLint1ExitTrap
    {
        readonly get => (AsUInt64 & 0x100UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100UL : AsUInt64 & ~0x100UL;
    }

    public bool X64ApicWriteSvrExitTrap
    {
        readonly get => (AsUInt64 & 0x200UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200UL : AsUInt64 & ~0x200UL;
    }

    public bool UnknownSynicConnection
    {
        readonly get => (AsUInt64 & 0x400UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400UL : AsUInt64 & ~0x400UL;
    }

    public bool RetargetUnknownVpciDevice
    {
        readonly get => (AsUInt64 & 0x800UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x800UL : AsUInt64 & ~0x800UL;
    }

    public bool X64ApicWriteLdrExitTrap
    {
        readonly get => (AsUInt64 & 0x1000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1000UL : AsUInt64 & ~0x1000UL;
    }

    public bool X64ApicWriteDfrExitTrap
    {
        readonly get => (AsUInt64 & 0x2000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2000UL : AsUInt64 & ~0x2000UL;
    }

    public bool GpaAccessFaultExit
    {
        readonly get => (AsUInt64 & 0x4000UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4000UL : AsUInt64 & ~0x4000UL;
    }
}
