namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>What the processor is, as CPUID tells it. Set before the first reset; processors of a partition share one.</summary>
    public CpuidModel Model { get; protected init; } = CpuidModel.Baseline;

    /// <summary>The processor's (x2)APIC id, as CPUID shows it.</summary>
    public uint ApicId { get; protected init; }

    /// <summary>Whether the processor answers VMCALL and VMMCALL; without, they are #UD.</summary>
    public bool HypercallsEnabled { get; protected init; }

    /// <summary>Whether a CPUID feature is shown to the guest.</summary>
    public bool Has(CpuFeature feature) => Model.Has(feature);

    /// <summary>Answers CPUID from the model and the processor's state.</summary>
    public CpuidAnswer QueryCpuid(uint leaf, uint subleaf)
    {
        VcpuState* s = State;
        return Model.Query(leaf, subleaf, new CpuidDynamics(ApicId, (s->ApicBase & ApicBaseEnable) != 0, s->Cr4, s->Xcr0, s->Xss));
    }

    /// <summary>
    /// Answers a request of kind <see cref="ExternalRequestKind.Cpuid"/> from the model: what <see cref="TryAnswer"/> does with leaves that
    /// the policy does not send out.
    /// </summary>
    protected void AnswerCpuid(ref ExternalRequest request)
    {
        CpuidAnswer answer = QueryCpuid((uint)request.Address, (uint)request.Value);
        request.Value = answer.Eax | ((ulong)answer.Ebx << 32);
        request.Value2 = answer.Ecx | ((ulong)answer.Edx << 32);
    }

    /// <summary>CR8 was written: the local APIC's task priority follows <see cref="VcpuState.Cr8"/>.</summary>
    protected virtual void OnTaskPriorityChanged()
    {
    }

    private void ChangeTranslations()
    {
        FlushTlb();
        OnTranslationsChanged();
    }
}
