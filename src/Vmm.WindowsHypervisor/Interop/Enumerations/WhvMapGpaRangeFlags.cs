namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Rights of a mapping, and dirty tracking.</summary>
[Flags]
internal enum WhvMapGpaRangeFlags : uint
{
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,
    TrackDirtyPages = 8,
}
