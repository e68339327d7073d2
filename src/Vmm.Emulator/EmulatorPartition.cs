using Vmm.Emulator.Interrupts;
using Vmm.Emulator.Time;
using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.Emulator;

/// <summary>An emulated machine.</summary>
internal sealed class EmulatorPartition : PartitionBase
{
    private readonly EmulatorMemory _memory;

    public EmulatorPartition(EmulatorHypervisor hypervisor, PartitionOptions options)
        : base(hypervisor, options)
    {
        Profile = options.CpuProfile ?? CpuProfiles.V1;
        // Without a local APIC nothing of one is shown: APIC by the processor itself, x2APIC and the TSC deadline here.
        uint withoutApic = options.LocalApic == LocalApicMode.None ? (1U << 21) | (1U << 24) : 0;
        Model = new CpuidModel(Profile.Leaves.Select(leaf => new CpuidRow(
            leaf.Leaf, leaf.Subleaf, leaf.Value.Eax, leaf.Value.Ebx, leaf.Leaf == 1 ? leaf.Value.Ecx & ~withoutApic : leaf.Value.Ecx, leaf.Value.Edx)));
        CountedTime = options.VirtualTime ? new VirtualTime(this) : null;
        if (Model.Missing.Count != 0)
        {
            throw new NotSupportedException(
                $"The CPU profile '{Profile.Name}' shows what emulated processors do not have: {string.Join(", ", Model.Missing)}.");
        }
        Clock = new PartitionClock(Profile.TimeStampCounterFrequency, CountedTime);
        _memory = new EmulatorMemory(this, options.SlatFormat ?? SlatFormat.Ept);
        EmulatedProcessors = new EmulatorVirtualProcessor[options.ProcessorCount];
        for (int i = 0; i < EmulatedProcessors.Length; i++)
            EmulatedProcessors[i] = new EmulatorVirtualProcessor(this, i);
        SetProcessors(EmulatedProcessors);
    }

    public override CpuProfile CpuProfile => Profile;

    public override ISecondLevelAddressTranslation Memory => _memory;

    public EmulatorMemory NestedMemory => _memory;

    public EmulatorVirtualProcessor[] EmulatedProcessors { get; }

    public CpuProfile Profile { get; }

    /// <summary>The profile as the processors look it up.</summary>
    public CpuidModel Model { get; }

    /// <summary>Between the local APICs.</summary>
    public LocalApicBus ApicBus { get; } = new();

    /// <summary>Pages that hold decoded code.</summary>
    public CodeMap CodeMap { get; } = new();

    public PartitionClock Clock { get; }

    public override IVirtualTime? VirtualTime => CountedTime;

    /// <summary>Where time is counted in instructions; else null.</summary>
    public VirtualTime? CountedTime { get; }

    /// <summary>Drops cached translations of every processor; they are stopped.</summary>
    public void FlushTranslations()
    {
#if VMM_MUTANTS
        if (Broken(Mutant.TlbKeptOnChange))
            return;
#endif
        foreach (EmulatorVirtualProcessor processor in EmulatedProcessors)
        {
#if VMM_MUTANTS
            if (Broken(Mutant.ForeignTranslationsKept) && processor.Index != 0)
                continue;
#endif
            processor.Core.FlushAfterRemap();
        }
    }

    /// <summary>Drops decoded code of a guest-physical range.</summary>
    public void InvalidateCode(ulong address, ulong length) => CodeMap.Invalidate(address, length);

    protected override void ResetCore()
    {
        foreach (EmulatorVirtualProcessor processor in EmulatedProcessors)
            processor.Reset();
    }

    protected override void RequestInterruptCore(in InterruptRequest request) => ApicBus.Deliver(ApicMessage.FromRequest(in request), null);

    protected override void SuspendTimeCore() => Clock.Suspend();

    protected override void ResumeTimeCore()
    {
        Clock.Resume();
        foreach (EmulatorVirtualProcessor processor in EmulatedProcessors)
            processor.NotifyTimer();
    }

    protected override void DisposeCore()
    {
        _memory.Free();
        foreach (EmulatorVirtualProcessor processor in EmulatedProcessors)
            processor.Dispose();
    }
}
