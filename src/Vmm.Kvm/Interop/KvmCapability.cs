namespace Vmm.Kvm.Interop;

/// <summary>Numbers of KVM's extensions (KVM_CAP_…) that the backend asks about or switches on.</summary>
internal enum KvmCapability
{
    UserMemory = 3,
    SetTssAddress = 4,
    NrMemorySlots = 10,
    MpState = 14,
    UserNmi = 22,
    IrqRouting = 25,
    IoEventFile = 36,
    SetIdentityMapAddress = 37,
    SetGuestDebug = 23,
    VcpuEvents = 41,
    DebugRegisters = 50,
    Xsave = 55,
    Xcrs = 56,
    TscControl = 60,
    GetTscKilohertz = 61,
    MaximumVcpus = 66,
    TscDeadlineTimer = 72,
    SyncRegisters = 74,
    SignalMsi = 77,
    ReadOnlyMemory = 81,
    SplitIrqchip = 121,
    X2ApicApi = 129,
    ImmediateExit = 136,
    ExceptionPayload = 164,
    UserSpaceMsr = 188,
    MsrFilter = 189,
    EnforcePvFeatureCpuid = 190,
    ExitOnEmulationFailure = 204,
}
