using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>128 bits.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct WhvUint128
{
    [FieldOffset(0)]
    public ulong Low64;

    [FieldOffset(8)]
    public ulong High64;

    [FieldOffset(0)]
    public fixed uint Dword[4];
}
