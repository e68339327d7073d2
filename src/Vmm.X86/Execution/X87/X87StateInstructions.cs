using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FNSTENV, FLDENV, FNSAVE and FRSTOR (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and local buffers of the largest format's size.
internal static unsafe class X87StateInstructions
{
    private const int RegisterBytes = 80;

    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fnstenv_m14byte, &StoreEnvironment);
        table.Set(Code.Fnstenv_m28byte, &StoreEnvironment);
        table.Set(Code.Fldenv_m14byte, &LoadEnvironment);
        table.Set(Code.Fldenv_m28byte, &LoadEnvironment);
        table.Set(Code.Fnsave_m94byte, &Save);
        table.Set(Code.Fnsave_m108byte, &Save);
        table.Set(Code.Frstor_m94byte, &Restore);
        table.Set(Code.Frstor_m108byte, &Restore);
    }

    private static Outcome StoreEnvironment(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code == Code.Fnstenv_m14byte ? X87EnvironmentImage.Size16 : X87EnvironmentImage.Size32;
        byte* image = stackalloc byte[X87EnvironmentImage.Size32];
        if (!X87Unit.Available(cpu, s) || !Operands.Linear(cpu, i, size, true, out ulong linear))
            return cpu.Stopped;
        X87EnvironmentImage.Save(s, image, size);
        if (!cpu.WriteBytes(linear, image, size))
            return cpu.Stopped;
        X87ControlInstructions.SetControlWord(s, (ushort)(s->FpuControl | 0x3F));
        return Outcome.Next;
    }

    private static Outcome LoadEnvironment(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code == Code.Fldenv_m14byte ? X87EnvironmentImage.Size16 : X87EnvironmentImage.Size32;
        byte* image = stackalloc byte[X87EnvironmentImage.Size32];
        if (!X87Unit.Ready(cpu, s) || !Operands.Linear(cpu, i, size, false, out ulong linear) || !cpu.ReadBytes(linear, image, size))
            return cpu.Stopped;
        X87EnvironmentImage.Load(s, image, size);
        return Outcome.Next;
    }

    private static Outcome Save(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code == Code.Fnsave_m94byte ? X87EnvironmentImage.Size16 : X87EnvironmentImage.Size32;
        byte* image = stackalloc byte[X87EnvironmentImage.Size32 + RegisterBytes];
        if (!X87Unit.Available(cpu, s) || !Operands.Linear(cpu, i, size + RegisterBytes, true, out ulong linear))
            return cpu.Stopped;
        X87EnvironmentImage.Save(s, image, size);
        for (int register = 0; register < 8; register++)
            X87Unit.Get(s, register).Write(new Span<byte>(image + size + (10 * register), 10));
        if (!cpu.WriteBytes(linear, image, size + RegisterBytes))
            return cpu.Stopped;
        X87ControlInstructions.Initialize(s);
        return Outcome.Next;
    }

    private static Outcome Restore(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code == Code.Frstor_m94byte ? X87EnvironmentImage.Size16 : X87EnvironmentImage.Size32;
        byte* image = stackalloc byte[X87EnvironmentImage.Size32 + RegisterBytes];
        if (!X87Unit.Ready(cpu, s) || !Operands.Linear(cpu, i, size + RegisterBytes, false, out ulong linear)
            || !cpu.ReadBytes(linear, image, size + RegisterBytes))
            return cpu.Stopped;
        X87EnvironmentImage.Load(s, image, size);
        ushort tags = s->FpuTags;
        for (int register = 0; register < 8; register++)
            X87Unit.Set(s, register, Float80.Read(new ReadOnlySpan<byte>(image + size + (10 * register), 10)));
        s->FpuTags = tags;
        return Outcome.Next;
    }
}
