using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: the guest used what the platform does not do.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64UnsupportedFeatureContext
{
    [FieldOffset(0)]
    public WhvX64UnsupportedFeatureCode FeatureCode;

    [FieldOffset(8)]
    public ulong FeatureParameter;
}
