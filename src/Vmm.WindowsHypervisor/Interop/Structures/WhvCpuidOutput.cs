using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>The four registers of a CPUID answer.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvCpuidOutput
{
    [FieldOffset(0)]
    public uint Eax;

    [FieldOffset(4)]
    public uint Ebx;

    [FieldOffset(8)]
    public uint Ecx;

    [FieldOffset(12)]
    public uint Edx;
}
