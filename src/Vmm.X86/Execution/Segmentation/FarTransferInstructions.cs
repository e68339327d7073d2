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
        table.Set(Code.Call_ptr1616, &CallDirect);
        table.Set(Code.Call_ptr1632, &CallDirect);
        table.Set(Code.Call_m1616, &CallIndirect16);
        table.Set(Code.Call_m1632, &CallIndirect32);
        table.Set(Code.Call_m1664, &CallIndirect64);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Retfw, Code.Retfw_imm16])
            table.Set(code, &Return16);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Retfd, Code.Retfd_imm16])
            table.Set(code, &Return32);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Retfq, Code.Retfq_imm16])
            table.Set(code, &Return64);
    }

    private static ulong DirectOffset(Instruction* i) => i->Op0Kind == OpKind.FarBranch16 ? i->FarBranch16 : i->FarBranch32;

    private static Outcome JumpDirect(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        cpu.FarJump(i->FarBranchSelector, DirectOffset(i), i->NextIP);

    private static Outcome JumpIndirect16(ProcessorCore cpu, VcpuState* s, Instruction* i) => JumpIndirect(cpu, i, 2);

    private static Outcome JumpIndirect32(ProcessorCore cpu, VcpuState* s, Instruction* i) => JumpIndirect(cpu, i, 4);

    private static Outcome JumpIndirect64(ProcessorCore cpu, VcpuState* s, Instruction* i) => JumpIndirect(cpu, i, 8);

    private static Outcome JumpIndirect(ProcessorCore cpu, Instruction* i, int size) =>
        FarPointer.Read(cpu, i, size, out ushort selector, out ulong offset) ? cpu.FarJump(selector, offset, i->NextIP) : cpu.Stopped;

    private static Outcome CallDirect(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        cpu.FarCall(i->FarBranchSelector, DirectOffset(i), i->Op0Kind == OpKind.FarBranch16 ? 2 : 4, i->NextIP);

    private static Outcome CallIndirect16(ProcessorCore cpu, VcpuState* s, Instruction* i) => CallIndirect(cpu, i, 2);

    private static Outcome CallIndirect32(ProcessorCore cpu, VcpuState* s, Instruction* i) => CallIndirect(cpu, i, 4);

    private static Outcome CallIndirect64(ProcessorCore cpu, VcpuState* s, Instruction* i) => CallIndirect(cpu, i, 8);

    private static Outcome CallIndirect(ProcessorCore cpu, Instruction* i, int size) =>
        FarPointer.Read(cpu, i, size, out ushort selector, out ulong offset) ? cpu.FarCall(selector, offset, size, i->NextIP) : cpu.Stopped;

    private static Outcome Return16(ProcessorCore cpu, VcpuState* s, Instruction* i) => Return(cpu, i, 2);

    private static Outcome Return32(ProcessorCore cpu, VcpuState* s, Instruction* i) => Return(cpu, i, 4);

    private static Outcome Return64(ProcessorCore cpu, VcpuState* s, Instruction* i) => Return(cpu, i, 8);

    private static Outcome Return(ProcessorCore cpu, Instruction* i, int size) => cpu.FarReturn(size, i->OpCount == 0 ? 0 : i->Immediate16);
}
