using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: RDMSR or WRMSR.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct WhvX64MsrAccessContext
{
    [FieldOffset(0)]
    public WhvX64MsrAccessInfo AccessInfo;

    [FieldOffset(4)]
    public uint MsrNumber;

    [FieldOffset(8)]
    public ulong Rax;

    [FieldOffset(16)]
    public ulong Rdx;
}
