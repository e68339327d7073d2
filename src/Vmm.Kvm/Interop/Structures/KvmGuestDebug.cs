using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_guest_debug.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal unsafe struct KvmGuestDebug
{
    /// <summary>Bits of <see cref="Control"/>.</summary>
    public const uint Enable = 1, SingleStep = 2, UseHardwarePoints = 0x2_0000;

    [FieldOffset(0)]
    public uint Control;
    [FieldOffset(8)]
    public fixed ulong Registers[8];
}
