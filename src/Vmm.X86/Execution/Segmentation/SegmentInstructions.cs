using Iced.Intel;
using IcedRegister = Iced.Intel.Register;

namespace Vmm.X86.Execution;

/// <summary>MOV, PUSH and POP of segment registers, LDS, LES, LFS, LGS, LSS (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class SegmentInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Mov_Sreg_rm16, &MoveTo);
        table.Set(Code.Mov_Sreg_r32m16, &MoveTo);
        table.Set(Code.Mov_Sreg_r64m16, &MoveTo);
        table.Set(Code.Mov_rm16_Sreg, &MoveFrom);
        table.Set(Code.Mov_r32m16_Sreg, &MoveFrom);
        table.Set(Code.Mov_r64m16_Sreg, &MoveFrom);
        foreach (Code code in (ReadOnlySpan<Code>)
            [Code.Pushw_ES, Code.Pushw_CS, Code.Pushw_SS, Code.Pushw_DS, Code.Pushw_FS, Code.Pushw_GS])
            table.Set(code, &Push16);
        foreach (Code code in (ReadOnlySpan<Code>)
            [Code.Pushd_ES, Code.Pushd_CS, Code.Pushd_SS, Code.Pushd_DS, Code.Pushd_FS, Code.Pushd_GS])
            table.Set(code, &Push32);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Pushq_FS, Code.Pushq_GS])
            table.Set(code, &Push64);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Popw_ES, Code.Popw_SS, Code.Popw_DS, Code.Popw_FS, Code.Popw_GS])
            table.Set(code, &Pop16);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Popd_ES, Code.Popd_SS, Code.Popd_DS, Code.Popd_FS, Code.Popd_GS])
            table.Set(code, &Pop32);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Popq_FS, Code.Popq_GS])
            table.Set(code, &Pop64);
        table.Set(Mnemonic.Lds, &LoadDs);
        table.Set(Mnemonic.Les, &LoadEs);
        table.Set(Mnemonic.Lfs, &LoadFs);
        table.Set(Mnemonic.Lgs, &LoadGs);
        table.Set(Mnemonic.Lss, &LoadSs);
    }

    private static Outcome MoveTo(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int index = Operands.Segment(i->Op0Register);
        if (index is SegmentIndex.Cs or > SegmentIndex.Gs)
            return cpu.RaiseInvalidOpcode();
        return Operands.Read(cpu, i, 1, 2, out ulong selector) ? Load(cpu, s, index, (ushort)selector) : cpu.Stopped;
    }

    private static Outcome Load(ProcessorCore cpu, VcpuState* s, int index, ushort selector)
    {
        uint mode = s->Mode;
        if (!cpu.LoadSegment(index, selector))
            return cpu.Stopped;
        if (index == SegmentIndex.Ss)
        {
            s->Shadow = InterruptShadow.MovSs;
            return Outcome.NextBlock;
        }
        return s->Mode == mode ? Outcome.Next : Outcome.NextBlock;
    }

    private static Outcome MoveFrom(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int index = Operands.Segment(i->Op1Register);
        if (index > SegmentIndex.Gs)
            return cpu.RaiseInvalidOpcode();
        return Operands.Write(cpu, i, 0, 2, s->Segments[index].Selector) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome Push16(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.PushSelector(Operands.Segment(i->Op0Register), 2);

    private static Outcome Push32(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.PushSelector(Operands.Segment(i->Op0Register), 4);

    private static Outcome Push64(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.PushSelector(Operands.Segment(i->Op0Register), 8);

    private static Outcome Pop16(ProcessorCore cpu, VcpuState* s, Instruction* i) => Pop(cpu, s, i, 2);

    private static Outcome Pop32(ProcessorCore cpu, VcpuState* s, Instruction* i) => Pop(cpu, s, i, 4);

    private static Outcome Pop64(ProcessorCore cpu, VcpuState* s, Instruction* i) => Pop(cpu, s, i, 8);

    private static Outcome Pop(ProcessorCore cpu, VcpuState* s, Instruction* i, int size)
    {
        int index = Operands.Segment(i->Op0Register);
        uint mode = s->Mode;
        if (!cpu.PopSelector(index, size))
            return cpu.Stopped;
        if (index == SegmentIndex.Ss)
        {
            s->Shadow = InterruptShadow.MovSs;
            return Outcome.NextBlock;
        }
        return s->Mode == mode ? Outcome.Next : Outcome.NextBlock;
    }

    private static Outcome LoadDs(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadFar(cpu, s, i, SegmentIndex.Ds);

    private static Outcome LoadEs(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadFar(cpu, s, i, SegmentIndex.Es);

    private static Outcome LoadFs(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadFar(cpu, s, i, SegmentIndex.Fs);

    private static Outcome LoadGs(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadFar(cpu, s, i, SegmentIndex.Gs);

    private static Outcome LoadSs(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadFar(cpu, s, i, SegmentIndex.Ss);

    private static Outcome LoadFar(ProcessorCore cpu, VcpuState* s, Instruction* i, int segment)
    {
        IcedRegister register = i->Op0Register;
        if (!FarPointer.Read(cpu, i, register.GetSize(), out ushort selector, out ulong offset) || !cpu.LoadSegment(segment, selector))
            return cpu.Stopped;
        Operands.Set(s, register, offset);
        return Outcome.NextBlock;
    }
}
