using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>CRC32 (SSE4.2): the CRC-32C polynomial, on general registers, so not subject to SSE's availability.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class Crc32Instructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Crc32_r32_rm8, &FromByte);
        table.Set(Code.Crc32_r64_rm8, &FromByte);
        table.Set(Code.Crc32_r32_rm16, &FromWord);
        table.Set(Code.Crc32_r32_rm32, &FromDoubleword);
        table.Set(Code.Crc32_r64_rm64, &FromQuadword);
    }

    private static uint Accumulator(VcpuState* s, Instruction* i) => (uint)Operands.Get(s, i->Op0Register);

    private static Outcome Finish(VcpuState* s, Instruction* i, uint crc)
    {
        Operands.Set(s, i->Op0Register, crc);
        return Outcome.Next;
    }

    private static Outcome FromByte(ProcessorCore cpu, VcpuState* s, Instruction* i) => Operands.Read(cpu, i, 1, 1, out ulong data)
        ? Finish(s, i, BitOperations.Crc32C(Accumulator(s, i), (byte)data))
        : cpu.Stopped;

    private static Outcome FromWord(ProcessorCore cpu, VcpuState* s, Instruction* i) => Operands.Read(cpu, i, 1, 2, out ulong data)
        ? Finish(s, i, BitOperations.Crc32C(Accumulator(s, i), (ushort)data))
        : cpu.Stopped;

    private static Outcome FromDoubleword(ProcessorCore cpu, VcpuState* s, Instruction* i) => Operands.Read(cpu, i, 1, 4, out ulong data)
        ? Finish(s, i, BitOperations.Crc32C(Accumulator(s, i), (uint)data))
        : cpu.Stopped;

    private static Outcome FromQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i) => Operands.Read(cpu, i, 1, 8, out ulong data)
        ? Finish(s, i, BitOperations.Crc32C(Accumulator(s, i), data))
        : cpu.Stopped;
}
