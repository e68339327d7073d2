using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_msrs with its one struct kvm_msr_entry.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmMsrEntry
{
    public uint Count, Padding, Index, Reserved;
    public ulong Data;
}
