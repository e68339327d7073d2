using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: cancelled.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvRunVpCanceledContext
{
    [FieldOffset(0)]
    public WhvRunVpCancelReason CancelReason;
}
