using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_msr_filter_range.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmMsrFilterRange
{
    /// <summary>Bits of <see cref="Flags"/>.</summary>
    public const uint Read = 1, Write = 2;

    public uint Flags, Count, First;
    public byte* Bitmap;
}
