namespace Vmm.Kvm.Interop;

/// <summary>Why KVM_RUN came back (KVM_EXIT_…).</summary>
internal enum KvmExitReason : uint
{
    Unknown = 0,
    Exception = 1,
    Io = 2,
    Hypercall = 3,
    Debug = 4,
    Halt = 5,
    Mmio = 6,
    IrqWindowOpen = 7,
    Shutdown = 8,
    FailEntry = 9,
    Interrupted = 10,
    SetTpr = 11,
    InternalError = 17,
    SystemEvent = 24,
    IoApicEoi = 26,
    ReadMsr = 29,
    WriteMsr = 30,
}
