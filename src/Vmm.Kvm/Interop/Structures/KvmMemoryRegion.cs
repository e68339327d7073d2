using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_userspace_memory_region.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmMemoryRegion
{
    /// <summary>Bits of <see cref="Flags"/>.</summary>
    public const uint LogDirtyPages = 1, ReadOnly = 2;

    public uint Slot, Flags;
    public ulong GuestPhysicalAddress, Length, HostAddress;
}
