using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_irq_routing_entry with its message.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct KvmIrqRoute
{
    /// <summary>Value of <see cref="Type"/>: a message.</summary>
    public const uint Message = 2;

    [FieldOffset(0)]
    public uint Gsi;
    [FieldOffset(4)]
    public uint Type;
    [FieldOffset(8)]
    public uint Flags;
    [FieldOffset(16)]
    public uint AddressLow;
    [FieldOffset(20)]
    public uint AddressHigh;
    [FieldOffset(24)]
    public uint Data;
}
