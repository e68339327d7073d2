using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: end of a level-triggered interrupt.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvX64ApicEoiContext
{
    [FieldOffset(0)]
    public uint InterruptVector;
}
