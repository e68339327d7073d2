using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>
/// struct kvm_run: the page that a virtual processor shares with the kernel. The members of its union lie over each other from offset 32.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 2352)]
internal struct KvmRun
{
    /// <summary>Bits of <see cref="ValidRegisters"/> and <see cref="DirtyRegisters"/>.</summary>
    public const ulong SyncGeneral = 1, SyncSpecial = 2, SyncEvents = 4;

    /// <summary>Values of <see cref="MsrReason"/>, which are also bits of what KVM_CAP_X86_USER_SPACE_MSR switches on.</summary>
    public const uint MsrInvalid = 1, MsrUnknown = 2, MsrFiltered = 4;

    [FieldOffset(0)]
    public byte RequestInterruptWindow;
    [FieldOffset(1)]
    public byte ImmediateExit;
    [FieldOffset(8)]
    public KvmExitReason ExitReason;
    [FieldOffset(12)]
    public byte ReadyForInterruptInjection;
    [FieldOffset(13)]
    public byte InterruptFlag;
    [FieldOffset(14)]
    public ushort Flags;
    [FieldOffset(16)]
    public ulong Cr8;
    [FieldOffset(24)]
    public ulong ApicBase;

    [FieldOffset(32)]
    public ulong HardwareExitReason;

    [FieldOffset(32)]
    public byte IoDirection;
    [FieldOffset(33)]
    public byte IoSize;
    [FieldOffset(34)]
    public ushort IoPort;
    [FieldOffset(36)]
    public uint IoCount;
    [FieldOffset(40)]
    public ulong IoDataOffset;

    [FieldOffset(32)]
    public ulong MmioAddress;
    [FieldOffset(40)]
    public ulong MmioData;
    [FieldOffset(48)]
    public uint MmioLength;
    [FieldOffset(52)]
    public byte MmioIsWrite;

    [FieldOffset(32)]
    public uint DebugException;
    [FieldOffset(40)]
    public ulong DebugPc;
    [FieldOffset(48)]
    public ulong DebugDr6;
    [FieldOffset(56)]
    public ulong DebugDr7;

    [FieldOffset(32)]
    public uint InternalSuberror;
    [FieldOffset(36)]
    public uint InternalDataCount;
    [FieldOffset(40)]
    public ulong InternalFlags;
    [FieldOffset(48)]
    public byte InternalInstructionSize;
    [FieldOffset(49)]
    public byte InternalInstructionBytes;

    [FieldOffset(32)]
    public byte EoiVector;

    [FieldOffset(32)]
    public byte MsrError;
    [FieldOffset(40)]
    public uint MsrReason;
    [FieldOffset(44)]
    public uint MsrIndex;
    [FieldOffset(48)]
    public ulong MsrData;

    [FieldOffset(288)]
    public ulong ValidRegisters;
    [FieldOffset(296)]
    public ulong DirtyRegisters;
    [FieldOffset(304)]
    public KvmGeneralRegisters General;
    [FieldOffset(448)]
    public KvmSpecialRegisters Special;
    [FieldOffset(760)]
    public KvmVcpuEvents Events;
}
