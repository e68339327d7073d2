using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: INIT or SIPI.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64ApicInitSipiContext
{
    [FieldOffset(0)]
    public ulong ApicIcr;
}
