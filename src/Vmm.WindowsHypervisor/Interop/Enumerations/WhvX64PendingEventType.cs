namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Kind of a pending event.</summary>
internal enum WhvX64PendingEventType : uint
{
    Exception = 0,
    ExtInt = 5,
    SvmNestedExit = 7,
    VmxNestedExit = 8,
}
