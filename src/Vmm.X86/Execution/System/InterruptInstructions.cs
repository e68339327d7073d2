using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>INT n, INT3, INT1, INTO and IRET (SDM Vol. 2A).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class InterruptInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Int, &Interrupt);
        table.Set(Mnemonic.Int3, &Breakpoint);
        table.Set(Mnemonic.Int1, &DebugBreakpoint);
        table.Set(Mnemonic.Into, &Overflow);
        table.Set(Code.Iretw, &Return16);
        table.Set(Code.Iretd, &Return32);
        table.Set(Code.Iretq, &Return64);
    }

    private static Outcome Interrupt(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        cpu.SoftwareEvent(EventKind.SoftwareInterrupt, i->Immediate8, i->Length);

    private static Outcome Breakpoint(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        cpu.SoftwareEvent(EventKind.SoftwareException, ExceptionVector.Breakpoint, i->Length);

    private static Outcome DebugBreakpoint(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        cpu.SoftwareEvent(EventKind.PrivilegedSoftwareException, ExceptionVector.Debug, i->Length);

    private static Outcome Overflow(ProcessorCore cpu, VcpuState* s, Instruction* i) => LazyFlags.Overflow(s) == 0
        ? Outcome.Next
        : cpu.SoftwareEvent(EventKind.SoftwareException, ExceptionVector.Overflow, i->Length);

    private static Outcome Return16(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.InterruptReturn(2, i->NextIP);

    private static Outcome Return32(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.InterruptReturn(4, i->NextIP);

    private static Outcome Return64(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.InterruptReturn(8, i->NextIP);
}
