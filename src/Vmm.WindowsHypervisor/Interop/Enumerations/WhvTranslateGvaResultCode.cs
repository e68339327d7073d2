namespace Vmm.WindowsHypervisor.Interop;

/// <summary>How a translation ended.</summary>
internal enum WhvTranslateGvaResultCode : uint
{
    Success = 0,
    PageNotPresent = 1,
    PrivilegeViolation = 2,
    InvalidPageTableFlags = 3,
    GpaUnmapped = 4,
    GpaNoReadAccess = 5,
    GpaNoWriteAccess = 6,
    GpaIllegalOverlayAccess = 7,
    Intercept = 8,
}
