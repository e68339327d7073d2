using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Why a virtual processor stopped, and with what.</summary>
[StructLayout(LayoutKind.Explicit, Size = 224)]
internal struct WhvRunVpExitContext
{
    [FieldOffset(0)]
    public WhvRunVpExitReason ExitReason;

    [FieldOffset(8)]
    public WhvX64VpExitContext VpContext;

    [FieldOffset(48)]
    public WhvMemoryAccessContext MemoryAccess;

    [FieldOffset(48)]
    public WhvRunVpCanceledContext CancelReason;

    [FieldOffset(48)]
    public WhvX64IoPortAccessContext IoPortAccess;

    [FieldOffset(48)]
    public WhvX64MsrAccessContext MsrAccess;

    [FieldOffset(48)]
    public WhvX64CpuidAccessContext CpuidAccess;

    [FieldOffset(48)]
    public WhvVpExceptionContext VpException;

    [FieldOffset(48)]
    public WhvX64InterruptionDeliverableContext InterruptWindow;

    [FieldOffset(48)]
    public WhvX64UnsupportedFeatureContext UnsupportedFeature;

    [FieldOffset(48)]
    public WhvX64ApicEoiContext ApicEoi;

    [FieldOffset(48)]
    public WhvX64ApicInitSipiContext ApicInitSipi;
}
