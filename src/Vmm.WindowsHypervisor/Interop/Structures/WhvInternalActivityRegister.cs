using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Whether the processor waits, and for what.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvInternalActivityRegister
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool StartupSuspend
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool HaltSuspend
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public bool IdleSuspend
    {
        readonly get => (AsUInt64 & 0x4UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x4UL : AsUInt64 & ~0x4UL;
    }
}
