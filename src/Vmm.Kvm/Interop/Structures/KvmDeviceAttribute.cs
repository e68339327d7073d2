using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_device_attr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmDeviceAttribute
{
    public uint Flags, Group;
    public ulong Attribute;
    public ulong* Address;
}
