using Vmm.Emulator;
using Vmm.Emulator.Mutants;
using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>All mutants by name: decorators of the emulator, and copies of it with one switch on.</summary>
internal static class MutantCatalog
{
    public static IReadOnlyDictionary<string, Func<IHypervisor>> All { get; } = Collect();

    private static SortedDictionary<string, Func<IHypervisor>> Collect()
    {
        SortedDictionary<string, Func<IHypervisor>> all = new(StringComparer.Ordinal)
        {
            [nameof(CancelLost)] = () => Processor((p, v) => new CancelLost(p, v)),
            [nameof(CancelTwice)] = () => Processor((p, v) => new CancelTwice(p, v)),
            [nameof(CancelForgotten)] = () => Processor((p, v) => new CancelForgotten(p, v)),
            [nameof(RipAtHalt)] = () => Processor((p, v) => new RipAtHalt(p, v)),
            [nameof(CompletionTruncated)] = () => Processor((p, v) => new CompletionTruncated(p, v)),
            [nameof(SecondRunnerAdmitted)] = () => Processor((p, v) => new SecondRunnerAdmitted(p, v)),
            [nameof(StringCountWrong)] = () => Processor((p, v) => new StringCountWrong(p, v)),
            [nameof(InjectionDropped)] = () => Processor((p, v) => new InjectionDropped(p, v)),
            [nameof(WriteAlwaysDiscarded)] = () => Processor((p, v) => new WriteAlwaysDiscarded(p, v)),
            [nameof(XmmHalved)] = () => Processor((p, v) => new XmmHalved(p, v)),
            [nameof(OverlapAccepted)] = () => Memory((p, m) => new OverlapAccepted(p, m)),
            [nameof(UnmapsOnePage)] = () => Memory((p, m) => new UnmapsOnePage(p, m)),
            [nameof(UnmapLate)] = () => Memory((p, m) => new UnmapLate(p, m)),
            [nameof(DirtyBitsDropped)] = () => Memory((p, m) => new DirtyBitsDropped(p, m)),
            [nameof(ProtectKeepsWrites)] = () => Memory((p, m) => new ProtectKeepsWrites(p, m)),
            [nameof(ResetDoesNothing)] = () => new BrokenHypervisor(new EmulatorHypervisor()) { Partition = (h, p,
                v) => new ResetDoesNothing(h, p, v) },
            [nameof(PauseDoesNothing)] = () => new BrokenHypervisor(new EmulatorHypervisor()) { Partition = (h, p,
                v) => new PauseDoesNothing(h, p, v) },
            ["CapabilityUndeclared"] = CapabilityUndeclared,
        };
        foreach (Mutant mutant in Enum.GetValues<Mutant>())
        {
            if (mutant == Mutant.None)
                continue;
            all[mutant.ToString()] = () =>
            {
                Mutation.Active = mutant;
                return new EmulatorHypervisor();
            };
        }
        return all;
    }

    private static BrokenHypervisor Processor(Func<DecoratedPartition, IVirtualProcessor, IVirtualProcessor> make) =>
        new(new EmulatorHypervisor()) { Processor = make };

    private static BrokenHypervisor Memory(Func<DecoratedPartition, ISecondLevelAddressTranslation, ISecondLevelAddressTranslation> make) =>
        new(new EmulatorHypervisor()) { Memory = make };

    // Says that it has no doorbells, and rings them all the same.
    private static BrokenHypervisor CapabilityUndeclared()
    {
        EmulatorHypervisor emulator = new();
        HypervisorCapabilities have = emulator.Capabilities;
        HypervisorCapabilities less = new(have.Backend, have.Declared.Where(capability => capability != Capability.Doorbells))
        {
            MaximumProcessors = have.MaximumProcessors,
            PhysicalAddressBits = have.PhysicalAddressBits,
            InterceptableExceptions = have.InterceptableExceptions,
            SlatFormats = have.SlatFormats,
            CpuProfiles = have.CpuProfiles,
        };
        return new BrokenHypervisor(emulator) { Declared = less };
    }
}
