namespace Vmm.WindowsHypervisor.Interop;

/// <summary>State that is not in registers.</summary>
internal enum WhvVirtualProcessorStateType : uint
{
    InterruptControllerState2 = 0x1000,
    XsaveState = 0x1001,
    NestedState = 0x1002,
}
