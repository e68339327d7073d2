using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Accesses to model-specific registers that exit (property X64MsrExitBitmap).</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64MsrExitBitmap
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool UnhandledMsrs
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool TscMsrWrite
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool TscMsrRead
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool ApicBaseMsrWrite
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool MiscEnableMsrRead
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public bool McUpdatePatchLevelMsrRead
    {
        readonly get => (AsUInt64 & 0x20UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x20UL : AsUInt64 & ~0x20UL;
    }
}
