using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: an interrupt can be delivered.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvX64InterruptionDeliverableContext
{
    [FieldOffset(0)]
    public WhvX64PendingInterruptionType DeliverableType;
}
