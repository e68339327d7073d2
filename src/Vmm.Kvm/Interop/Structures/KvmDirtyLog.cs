using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_dirty_log.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmDirtyLog
{
    public uint Slot, Padding;
    public void* Bitmap;
}
