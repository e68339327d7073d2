using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FNINIT, FNCLEX, FLDCW, FNSTCW, FNSTSW, WAIT, EMMS and the 8087's and 287's no-operations (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class X87ControlInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fninit, &Initialize);
        table.Set(Code.Fnclex, &ClearExceptions);
        table.Set(Code.Fldcw_m2byte, &LoadControlWord);
        table.Set(Code.Fnstcw_m2byte, &StoreControlWord);
        table.Set(Code.Fnstsw_m2byte, &StoreStatusWord);
        table.Set(Code.Fnstsw_AX, &StoreStatusWord);
        table.Set(Code.Wait, &Wait);
        table.Set(Code.Fneni, &Ignored);
        table.Set(Code.Fndisi, &Ignored);
        table.Set(Code.Fnsetpm, &Ignored);
        table.Set(Code.Emms, &EmptyMmxState);
    }

    /// <summary>The state after FNINIT; the register contents stay (SDM Vol. 1 8.1.4).</summary>
    public static void Initialize(VcpuState* s)
    {
        s->FpuControl = 0x37F;
        s->FpuStatus = 0;
        s->FpuTags = 0;
        s->FpuOpcode = 0;
        s->FpuInstructionPointer = s->FpuDataPointer = 0;
        s->FpuInstructionSelector = s->FpuDataSelector = 0;
    }

    /// <summary>Puts a control word in force: reserved bits as the hardware keeps them, error summary recomputed.</summary>
    public static void SetControlWord(VcpuState* s, ushort value)
    {
        X87Environment env = new((ushort)((value & 0x1F3F) | 0x40), s->FpuStatus);
        env.Refresh();
        s->FpuControl = env.ControlWord;
        s->FpuStatus = env.StatusWord;
    }

    private static Outcome Initialize(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Available(cpu, s))
            return cpu.Stopped;
        Initialize(s);
        return Outcome.Next;
    }

    private static Outcome ClearExceptions(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Available(cpu, s))
            return cpu.Stopped;
        s->FpuStatus &= 0x7F00;
        return Outcome.Next;
    }

    private static Outcome LoadControlWord(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s) || !Operands.Read(cpu, i, 0, 2, out ulong value))
            return cpu.Stopped;
        SetControlWord(s, (ushort)value);
        return Outcome.Next;
    }

    private static Outcome StoreControlWord(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        X87Unit.Available(cpu, s) && Operands.Write(cpu, i, 0, 2, s->FpuControl) ? Outcome.Next : cpu.Stopped;

    private static Outcome StoreStatusWord(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        X87Unit.Available(cpu, s) && Operands.Write(cpu, i, 0, 2, s->FpuStatus) ? Outcome.Next : cpu.Stopped;

    private static Outcome Wait(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        const ulong Both = Cr0Bits.MonitorCoprocessor | Cr0Bits.TaskSwitched;
        if ((s->Cr0 & Both) == Both)
            return cpu.Raise(ExceptionVector.DeviceNotAvailable);
        return X87Unit.NothingPending(cpu, s) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome Ignored(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        X87Unit.Available(cpu, s) ? Outcome.Next : cpu.Stopped;

    private static Outcome EmptyMmxState(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Cr0 & Cr0Bits.Emulation) != 0)
            return cpu.RaiseInvalidOpcode();
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        s->FpuTags = 0;
        s->FpuStatus &= 0xC7FF;
        return Outcome.Next;
    }
}
