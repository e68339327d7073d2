using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_cpuid_entry2.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct KvmCpuidEntry
{
    /// <summary>Bit of <see cref="Flags"/>: ECX chooses among entries of the leaf.</summary>
    public const uint SignificantIndex = 1;

    [FieldOffset(0)]
    public uint Function;
    [FieldOffset(4)]
    public uint Index;
    [FieldOffset(8)]
    public uint Flags;
    [FieldOffset(12)]
    public uint Eax;
    [FieldOffset(16)]
    public uint Ebx;
    [FieldOffset(20)]
    public uint Ecx;
    [FieldOffset(24)]
    public uint Edx;
}
