using System.Collections.Immutable;

namespace Vmm;

/// <summary>The state of all processors of a partition with what they showed their guest; memory is not part of it.</summary>
/// <param name="Profile">What CPUID showed, frequencies and widths; null where the backend does not say.</param>
/// <param name="LocalApic">Local APICs.</param>
/// <param name="Processors">The processors by index.</param>
public sealed record PartitionSnapshot(CpuProfile? Profile, LocalApicMode LocalApic, ImmutableArray<ProcessorSnapshot> Processors)
{
    /// <summary>
    /// Takes the state of a partition whose processors do not run; its time stands still meanwhile, where it can be stopped.
    /// </summary>
    /// <exception cref="InvalidOperationException">A processor is running, or an instruction is pending: finish it first.</exception>
    public static PartitionSnapshot Capture(IPartition partition) => Capture(partition, null);

    /// <summary>Takes the state of a partition whose guest was promised another profile than the partition shows.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="profile">
    /// What its guest was promised: the <see cref="Profile"/> of the snapshot that it came from, where it came from one. Otherwise a guest
    /// that was admitted to a partition that shows more would need as much wherever it goes next. Null = what the partition shows.
    /// </param>
    /// <exception cref="InvalidOperationException">A processor is running, or an instruction is pending: finish it first.</exception>
    public static PartitionSnapshot Capture(IPartition partition, CpuProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(partition);
        using TimeStop stop = new(partition);
        return new(profile ?? partition.CpuProfile, partition.Options.LocalApic, [.. partition.Processors.Select(ProcessorSnapshot.Capture)]);
    }

    /// <summary>Checks whether a partition can take this state, as far as its options and capabilities tell; nothing is changed.</summary>
    /// <exception cref="SavedStateException">
    /// It cannot; the message names what differs, what each side has, and what would help.
    /// </exception>
    public void Check(IPartition partition, RestoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(partition);
        options ??= new();
        if (partition.Processors.Count != Processors.Length)
        {
            throw new SavedStateException(
                $"The saved guest has {Processors.Length} processor(s), this partition {partition.Processors.Count}. Create it with PartitionOptions.ProcessorCount = {Processors.Length}.");
        }
        // Which mode each APIC is in is state; whether there are any is not.
        if ((partition.Options.LocalApic == LocalApicMode.None) != (LocalApic == LocalApicMode.None))
        {
            throw new SavedStateException(LocalApic == LocalApicMode.None
                ? "The saved guest has no local APICs; this partition has. Create it with PartitionOptions.LocalApic = None."
                : $"The saved guest has local APICs; this partition has none. Create it with PartitionOptions.LocalApic = {LocalApic}, on a backend with the capability '{Capability.LocalApic}'.");
        }
        if (Profile is not null && partition.CpuProfile is { } here)
            ProfileCheck.Check(Profile, here, options, LocalApic != LocalApicMode.None);
        if (options.UnknownElements == UnknownElementPolicy.Preserve)
            return;
        foreach (ElementState element in Processors.SelectMany(processor => processor.Elements))
        {
            if (StateElements.Find(element.Id) is null)
            {
                throw new SavedStateException(
                    $"The saved guest has the state element '{element.Id}' (version {element.Version}), which is not known here. Restore with the library that saved it, or a later one; "
                    + "or let the guest run without it (UnknownElementPolicy.Preserve).");
            }
        }
    }

    /// <summary>
    /// Gives this state to a partition whose processors do not run. All is checked before anything is changed, as far as the backend tells.
    /// </summary>
    /// <returns>By processor, the elements that are not known here; empty lists unless they are preserved.</returns>
    /// <exception cref="SavedStateException">
    /// The partition cannot take it; the message names what. The partition must not run then.
    /// </exception>
    /// <exception cref="InvalidOperationException">A processor is running, or an instruction is pending.</exception>
    public ImmutableArray<ImmutableArray<ElementState>> Apply(IPartition partition, RestoreOptions? options = null)
    {
        Check(partition, options);
        using TimeStop stop = new(partition);
        ImmutableArray<ImmutableArray<ElementState>>.Builder preserved = ImmutableArray.CreateBuilder<ImmutableArray<ElementState>>();
        List<Action> changes = [];
        for (int index = 0; index < Processors.Length; index++)
        {
            ILookup<bool, ElementState> byKnown = Processors[index].Elements.ToLookup(element => StateElements.Find(element.Id) is not null);
            IVirtualProcessor processor = partition.Processors[index];
            Guard(index, () => changes.Add(new ProcessorSnapshot(byKnown[true]).Prepare(processor)));
            preserved.Add([.. byKnown[false]]);
        }
        for (int index = 0; index < changes.Count; index++)
            Guard(index, changes[index]);
        return preserved.ToImmutable();
    }

    private static void Guard(int index, Action step)
    {
        try
        {
            step();
        }
        catch (ArgumentException e)
        {
            throw new SavedStateException($"Processor {index} cannot be restored: {e.Message}", e);
        }
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
