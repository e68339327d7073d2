namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Why a run was cancelled.</summary>
internal enum WhvRunVpCancelReason : uint
{
    User = 0,
}
