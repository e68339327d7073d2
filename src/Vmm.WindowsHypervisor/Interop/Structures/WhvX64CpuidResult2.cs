using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>One answer of CPUID that the platform gives without an exit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct WhvX64CpuidResult2
{
    [FieldOffset(0)]
    public uint Function;

    [FieldOffset(4)]
    public uint Index;

    [FieldOffset(8)]
    public uint VpIndex;

    [FieldOffset(12)]
    public WhvX64CpuidResult2Flags Flags;

    [FieldOffset(16)]
    public WhvCpuidOutput Output;

    [FieldOffset(32)]
    public WhvCpuidOutput Mask;
}
