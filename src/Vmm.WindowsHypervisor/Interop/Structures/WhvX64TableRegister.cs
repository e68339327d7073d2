using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>GDTR or IDTR.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64TableRegister
{
    [FieldOffset(6)]
    public ushort Limit;

    [FieldOffset(8)]
    public ulong Base;
}
