using System.Collections.Immutable;

namespace Vmm;

/// <summary>The state of all processors of a partition with what they showed their guest; memory is not part of it.</summary>
/// <param name="Profile">What CPUID showed, frequencies and widths; null where the backend does not say.</param>
/// <param name="LocalApic">Local APICs.</param>
/// <param name="Processors">The processors by index.</param>
public sealed record PartitionSnapshot(CpuProfile? Profile, LocalApicMode LocalApic, ImmutableArray<ProcessorSnapshot> Processors)
{
    /// <summary>Takes the state of a partition whose processors do not run; its time stands still meanwhile, where it can be stopped.</summary>
    /// <exception cref="InvalidOperationException">A processor is running, or an instruction is pending: finish it first.</exception>
    public static PartitionSnapshot Capture(IPartition partition)
    {
        ArgumentNullException.ThrowIfNull(partition);
        using TimeStop stop = new(partition);
        return new(
            ProcessorSnapshot.ProfileOf(partition), partition.Options.LocalApic, [.. partition.Processors.Select(ProcessorSnapshot.Capture)]);
    }

    /// <summary>Checks whether a partition can take this state, as far as its options and capabilities tell; nothing is changed.</summary>
    /// <exception cref="SavedStateException">It cannot; the message names what is missing.</exception>
    public void Check(IPartition partition, RestoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(partition);
        options ??= new();
        if (partition.Processors.Count != Processors.Length)
            throw new SavedStateException($"The saved guest has {Processors.Length} processor(s), this partition {partition.Processors.Count}.");
        // Which mode each APIC is in is state; whether there are any is not.
        if ((partition.Options.LocalApic == LocalApicMode.None) != (LocalApic == LocalApicMode.None))
        {
            throw new SavedStateException(
                LocalApic == LocalApicMode.None ? "The saved guest has no local APICs; this partition has." : "The saved guest has local APICs; this partition has none.");
        }
        if (Profile is not null && ProcessorSnapshot.ProfileOf(partition) is { } here)
            ProfileCheck.Check(Profile, here, options.AllowSupersetCpuid);
        if (options.UnknownElements == UnknownElementPolicy.Preserve)
            return;
        foreach (ElementState element in Processors.SelectMany(processor => processor.Elements))
        {
            if (StateElements.Find(element.Id) is null)
                throw new SavedStateException($"The saved guest has the state element '{element.Id}', which is not known here.");
        }
    }

    /// <summary>Gives this state to a partition whose processors do not run. Checked first, as far as can be.</summary>
    /// <returns>By processor, the elements that are not known here; empty lists unless they are preserved.</returns>
    /// <exception cref="SavedStateException">The partition cannot take it; the message names what. The partition must not run then.</exception>
    /// <exception cref="InvalidOperationException">A processor is running, or an instruction is pending.</exception>
    public ImmutableArray<ImmutableArray<ElementState>> Apply(IPartition partition, RestoreOptions? options = null)
    {
        Check(partition, options);
        using TimeStop stop = new(partition);
        ImmutableArray<ImmutableArray<ElementState>>.Builder preserved = ImmutableArray.CreateBuilder<ImmutableArray<ElementState>>();
        for (int index = 0; index < Processors.Length; index++)
        {
            ILookup<bool, ElementState> byKnown = Processors[index].Elements.ToLookup(element => StateElements.Find(element.Id) is not null);
            try
            {
                new ProcessorSnapshot(byKnown[true]).Apply(partition.Processors[index]);
            }
            catch (ArgumentException e)
            {
                throw new SavedStateException($"Processor {index} cannot be restored: {e.Message}", e);
            }
            preserved.Add([.. byKnown[false]]);
        }
        return preserved.ToImmutable();
    }

    // Time that ran on between two processors, or two elements, would tear what belongs together.
    private readonly struct TimeStop : IDisposable
    {
        private readonly IPartition? _partition;

        public TimeStop(IPartition partition)
        {
            if (!partition.Capabilities.Has(Capability.TimeControl))
                return;
            partition.SuspendTime();
            _partition = partition;
        }

        public void Dispose() => _partition?.ResumeTime();
    }
}
