using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>Registers and operands of VEX-encoded vector instructions that run from Iced's decoded form.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; register numbers come from Iced (0 to 15).
internal static unsafe class VexOperands
{
    /// <summary>
    /// AVX instructions may run; false: #UD or #NM recorded (SDM Vol. 2A table 2-22 to 2-28: protected mode, CR4.OSXSAVE and
    /// XCR0[2:1] = 11b,
    /// then CR0.TS). What the prefixes and VEX fields must be is the decoder's business.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Available(ProcessorCore cpu, VcpuState* s) => (s->Mode & ExecutionMode.AvxUsable) != 0 || Refuse(cpu, s);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Refuse(ProcessorCore cpu, VcpuState* s)
    {
        cpu.Raise(Enabled(s) ? ExceptionVector.DeviceNotAvailable : ExceptionVector.InvalidOpcode);
        return false;
    }

    /// <summary>The mode and the operating system allow AVX, whatever CR0.TS says.</summary>
    public static bool Enabled(VcpuState* s) => (s->Cr0 & Cr0Bits.ProtectionEnable) != 0 && (s->FlagsSystem & LazyFlags.Vm) == 0
        && (s->Cr4 & Cr4Bits.OsXsave) != 0 && (s->Xcr0 & 6) == 6;

    /// <summary>Byte offset of an XMM, YMM or general register in the state block.</summary>
    public static ushort Offset(Register register) => register switch
    {
        >= Register.XMM0 and <= Register.XMM15 => (ushort)(VcpuState.VectorOffset + ((register - Register.XMM0) * 32)),
        >= Register.YMM0 and <= Register.YMM15 => (ushort)(VcpuState.VectorOffset + ((register - Register.YMM0) * 32)),
        _ => (ushort)(Operands.Index(register) * 8),
    };

    /// <summary>Where a register operand is kept.</summary>
    public static byte* Slot(VcpuState* s, Register register) => (byte*)s + Offset(register);
}
