using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What the platform can do (capability Features).</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvCapabilityFeatures
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool PartialUnmap
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool LocalApicEmulation
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool Xsave
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool DirtyPageTracking
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool SpeculationControl
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public bool ApicRemoteRead
    {
        readonly get => (AsUInt64 & 0x20UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20UL : AsUInt64 & ~0x20UL;
    }

    public bool IdleSuspend
    {
        readonly get => (AsUInt64 & 0x40UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x40UL : AsUInt64 & ~0x40UL;
    }

    public bool VirtualPciDeviceSupport
    {
        readonly get => (AsUInt64 & 0x80UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x80UL : AsUInt64 & ~0x80UL;
    }

    public bool IommuSupport
    {
        readonly get => (AsUInt64 & 0x100UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x100UL : AsUInt64 & ~0x100UL;
    }

    public bool VpHotAddRemove
    {
        readonly get => (AsUInt64 & 0x200UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200UL : AsUInt64 & ~0x200UL;
    }

    public bool DeviceAccessTracking
    {
        readonly get => (AsUInt64 & 0x400UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400UL : AsUInt64 & ~0x400UL;
    }
}
