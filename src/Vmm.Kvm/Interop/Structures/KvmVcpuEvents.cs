using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_vcpu_events: what is being delivered, what waits, and what blocks it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct KvmVcpuEvents
{
    /// <summary>Bits of <see cref="Flags"/>.</summary>
    public const uint ValidNmiPending = 1, ValidSipiVector = 2, ValidShadow = 4, ValidPayload = 0x10, ValidTripleFault = 0x20;

    /// <summary>Bits of <see cref="InterruptShadow"/>.</summary>
    public const byte ShadowMovSs = 1, ShadowSti = 2;

    [FieldOffset(0)]
    public byte ExceptionInjected;
    [FieldOffset(1)]
    public byte ExceptionVector;
    [FieldOffset(2)]
    public byte ExceptionHasErrorCode;
    [FieldOffset(3)]
    public byte ExceptionPending;
    [FieldOffset(4)]
    public uint ExceptionErrorCode;
    [FieldOffset(8)]
    public byte InterruptInjected;
    [FieldOffset(9)]
    public byte InterruptVector;
    [FieldOffset(10)]
    public byte InterruptSoft;
    [FieldOffset(11)]
    public byte InterruptShadow;
    [FieldOffset(12)]
    public byte NmiInjected;
    [FieldOffset(13)]
    public byte NmiPending;
    [FieldOffset(14)]
    public byte NmiMasked;
    [FieldOffset(16)]
    public uint SipiVector;
    [FieldOffset(20)]
    public uint Flags;
    [FieldOffset(55)]
    public byte ExceptionHasPayload;
    [FieldOffset(56)]
    public ulong ExceptionPayload;
}
