using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Direction of an access to a model-specific register.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvX64MsrAccessInfo
{
    [FieldOffset(0)]
    public uint AsUInt32;

    public bool IsWrite
    {
        readonly get => (AsUInt32 & 0x1U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x1U : AsUInt32 & ~0x1U;
    }
}
