using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>How a translation ended.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvTranslateGvaResult
{
    [FieldOffset(0)]
    public WhvTranslateGvaResultCode ResultCode;
}
