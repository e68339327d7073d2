using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct sigaction of the C library on x86-64 (glibc and musl alike): handler, mask of 1024 bits, flags, restorer.</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
internal struct SignalDisposition
{
    [FieldOffset(0)]
    public nint Handler;
    [FieldOffset(136)]
    public int Flags;
}
