using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Debug exceptions that are yet to be delivered.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64PendingDebugException
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool Breakpoint0
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool Breakpoint1
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool Breakpoint2
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }

    public bool Breakpoint3
    {
        readonly get => (AsUInt64 & 0x8UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x8UL : AsUInt64 & ~0x8UL;
    }

    public bool SingleStep
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }
}
