using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>
/// XMM registers and operands of the instructions that run from Iced's decoded form. Members that may stop the instruction return false,
/// also when SSE is not available.
/// </summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; register numbers come from Iced (0 to 15).
internal static unsafe class SimdOperands
{
    /// <summary>Where an XMM register is kept. Its upper half (YMM) stays untouched by legacy-encoded instructions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte>* Xmm(VcpuState* s, Register register) =>
        (Vector128<byte>*)(&s->Vector[0] + ((register - Register.XMM0) * 4));

    /// <summary>The low quadword of an XMM register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* Low(VcpuState* s, Register register) => &s->Vector[0] + ((register - Register.XMM0) * 4);

    /// <summary>SSE instructions may run; false: #UD or #NM recorded (SDM Vol. 3A 13.1, Vol. 2A table 2-21).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Available(ProcessorCore cpu, VcpuState* s) => (s->Mode & ExecutionMode.SseUsable) != 0 || Refuse(cpu, s);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Refuse(ProcessorCore cpu, VcpuState* s)
    {
        bool undefined = (s->Cr0 & Cr0Bits.Emulation) != 0 || (s->Cr4 & Cr4Bits.OsFxsr) == 0;
        cpu.Raise(undefined ? ExceptionVector.InvalidOpcode : ExceptionVector.DeviceNotAvailable);
        return false;
    }

    /// <summary>A 16-byte source; memory must be aligned (#GP otherwise).</summary>
    public static bool Source(ProcessorCore cpu, VcpuState* s, Instruction* i, int operand, out Vector128<byte> value) =>
        Load(cpu, s, i, operand, true, out value);

    /// <summary>A 16-byte source; memory may be anywhere.</summary>
    public static bool UnalignedSource(ProcessorCore cpu, VcpuState* s, Instruction* i, int operand, out Vector128<byte> value) =>
        Load(cpu, s, i, operand, false, out value);

    private static bool Load(ProcessorCore cpu, VcpuState* s, Instruction* i, int operand, bool aligned, out Vector128<byte> value)
    {
        if (!Available(cpu, s))
        {
            value = default;
            return false;
        }
        if (i->GetOpKind(operand) == OpKind.Register)
        {
            value = *Xmm(s, i->GetOpRegister(operand));
            return true;
        }
        value = default;
        return Address(cpu, i, false, aligned, out ulong linear) && cpu.Read(linear, out value);
    }

    /// <summary>A source of 2, 4 or 8 bytes: the low end of a register, or memory of that size; zero-extended.</summary>
    public static bool ScalarSource(ProcessorCore cpu, VcpuState* s, Instruction* i, int operand, int size, out ulong value)
    {
        value = 0;
        if (!Available(cpu, s))
            return false;
        if (i->GetOpKind(operand) == OpKind.Register)
        {
            value = *Low(s, i->GetOpRegister(operand));
            if (size < 8)
                value &= (1UL << (size * 8)) - 1;
            return true;
        }
        return Operands.Linear(cpu, i, size, false, out ulong linear) && Operands.ReadSized(cpu, linear, size, out value);
    }

    /// <summary>Linear address of a 16-byte memory operand.</summary>
    public static bool Address(ProcessorCore cpu, Instruction* i, bool write, bool aligned, out ulong linear)
    {
        if (!Operands.Linear(cpu, i, 16, write, out linear))
            return false;
        if (!aligned || (linear & 15) == 0)
            return true;
        cpu.RaiseGeneralProtection();
        return false;
    }
}
