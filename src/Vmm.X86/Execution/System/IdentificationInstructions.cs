using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>CPUID, RDTSC, RDTSCP, RDPID, RDPMC, RDMSR, WRMSR (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class IdentificationInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Cpuid, &Identify);
        table.Set(Mnemonic.Rdtsc, &ReadTimeStamp);
        table.Set(Mnemonic.Rdtscp, &ReadTimeStampAndProcessor);
        table.Set(Mnemonic.Rdpid, &ReadProcessorId);
        table.Set(Mnemonic.Rdpmc, &ReadPerformanceCounter);
        table.Set(Mnemonic.Rdmsr, &ReadModelSpecific);
        table.Set(Mnemonic.Wrmsr, &WriteModelSpecific);
    }

    private static Outcome Identify(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ExternalRequest request = new()
        {
            Kind = ExternalRequestKind.Cpuid,
            Size = 4,
            Address = (uint)s->General[0],
            Value = (uint)s->General[1],
        };
        if (!cpu.Ask(ref request))
            return cpu.Stopped;
        s->General[0] = (uint)request.Value;
        s->General[3] = request.Value >> 32;
        s->General[1] = (uint)request.Value2;
        s->General[2] = request.Value2 >> 32;
        return Outcome.NextBlock; // serialising: what comes next is fetched anew (SDM Vol. 3A 9.3)
    }

    private static Outcome ReadTimeStamp(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (TimeStampForbidden(s))
            return cpu.RaiseGeneralProtection();
        SetPair(s, cpu.ReadTimeStampCounter());
        return Outcome.Next;
    }

    private static Outcome ReadTimeStampAndProcessor(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.Has(CpuFeature.Rdtscp))
            return cpu.RaiseInvalidOpcode();
        if (TimeStampForbidden(s))
            return cpu.RaiseGeneralProtection();
        SetPair(s, cpu.ReadTimeStampCounter());
        s->General[1] = (uint)s->TscAux;
        return Outcome.Next;
    }

    private static Outcome ReadProcessorId(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.Has(CpuFeature.ReadProcessorId))
            return cpu.RaiseInvalidOpcode();
        Operands.Set(s, i->Op0Register, s->TscAux);
        return Outcome.Next;
    }

    // No performance counter is shown, so every number is beyond the last.
    private static Outcome ReadPerformanceCounter(ProcessorCore cpu, VcpuState* s, Instruction* i) => cpu.RaiseGeneralProtection();

    private static Outcome ReadModelSpecific(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        Outcome outcome = cpu.ReadMsr((uint)s->General[1], out ulong value);
        if (outcome == Outcome.Next)
            SetPair(s, value);
        return outcome;
    }

    private static Outcome WriteModelSpecific(ProcessorCore cpu, VcpuState* s, Instruction* i) => s->Cpl != 0
        ? cpu.RaiseGeneralProtection()
        : cpu.WriteMsr((uint)s->General[1], (uint)s->General[0] | (s->General[2] << 32));

    private static bool TimeStampForbidden(VcpuState* s) => (s->Cr4 & Cr4Bits.TimeStampDisable) != 0 && s->Cpl != 0;

    private static void SetPair(VcpuState* s, ulong value)
    {
        s->General[0] = (uint)value;
        s->General[2] = value >> 32;
    }
}
