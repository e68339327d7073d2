using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Which fields of an exception are valid.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvVpExceptionInfo
{
    [FieldOffset(0)]
    public uint AsUInt32;

    public bool ErrorCodeValid
    {
        readonly get => (AsUInt32 & 0x1U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x1U : AsUInt32 & ~0x1U;
    }

    public bool SoftwareException
    {
        readonly get => (AsUInt32 & 0x2U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x2U : AsUInt32 & ~0x2U;
    }
}
