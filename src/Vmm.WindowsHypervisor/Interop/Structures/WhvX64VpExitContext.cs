using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>The processor at an exit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct WhvX64VpExitContext
{
    [FieldOffset(2)]
    private byte _bits2;

    [FieldOffset(0)]
    public WhvX64VpExecutionState ExecutionState;

    [FieldOffset(8)]
    public WhvX64SegmentRegister Cs;

    [FieldOffset(24)]
    public ulong Rip;

    [FieldOffset(32)]
    public ulong Rflags;

    public byte InstructionLength
    {
        readonly get => (byte)(_bits2 & 0xF);
        set => _bits2 = (byte)((_bits2 & ~0xF) | (byte)(value & 0xF));
    }

    public byte Cr8
    {
        readonly get => (byte)((_bits2 >> 4) & 0xF);
        set => _bits2 = (byte)((_bits2 & ~0xF0) | ((byte)(value & 0xF) << 4));
    }
}
