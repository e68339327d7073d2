using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: CPUID, with the answer that the platform would give.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct WhvX64CpuidAccessContext
{
    [FieldOffset(0)]
    public ulong Rax;

    [FieldOffset(8)]
    public ulong Rcx;

    [FieldOffset(16)]
    public ulong Rdx;

    [FieldOffset(24)]
    public ulong Rbx;

    [FieldOffset(32)]
    public ulong DefaultResultRax;

    [FieldOffset(40)]
    public ulong DefaultResultRcx;

    [FieldOffset(48)]
    public ulong DefaultResultRdx;

    [FieldOffset(56)]
    public ulong DefaultResultRbx;
}
