using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Far JMP and CALL, RETF, IRET (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class FarTransferInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Jmp_ptr1616, &JumpDirect);
        table.Set(Code.Jmp_ptr1632, &JumpDirect);
        table.Set(Code.Jmp_m1616, &JumpIndirect16);
        table.Set(Code.Jmp_m1632, &JumpIndirect32);
        table.Set(Code.Jmp_m1664, &JumpIndirect64);
    }

    private static ulong DirectOffset(Instruction* i) => i->Op0Kind == OpKind.FarBranch16 ? i->FarBranch16 : i->FarBranch32;

    private static Outcome JumpDirect(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.FarJump(i->FarBranchSelector, DirectOffset(i));

    private static Outcome JumpIndirect16(ProcessorCore cpu, VcpuState* s, Instruction* i) => JumpIndirect(cpu, i, 2);

    private static Outcome JumpIndirect32(ProcessorCore cpu, VcpuState* s, Instruction* i) => JumpIndirect(cpu, i, 4);

    private static Outcome JumpIndirect64(ProcessorCore cpu, VcpuState* s, Instruction* i) => JumpIndirect(cpu, i, 8);

    private static Outcome JumpIndirect(ProcessorCore cpu, Instruction* i, int size) =>
        FarPointer.Read(cpu, i, size, out ushort selector, out ulong offset) ? cpu.FarJump(selector, offset) : cpu.Stopped;
}
