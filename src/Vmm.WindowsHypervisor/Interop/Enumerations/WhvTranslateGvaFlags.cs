namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What a translation checks.</summary>
[Flags]
internal enum WhvTranslateGvaFlags : uint
{
    None = 0,
    ValidateRead = 1,
    ValidateWrite = 2,
    ValidateExecute = 4,
    PrivilegeExempt = 8,
    SetPageTableBits = 0x10,
    EnforceSmap = 0x100,
    OverrideSmap = 0x200,
}
