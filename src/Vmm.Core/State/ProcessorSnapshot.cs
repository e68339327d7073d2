using System.Collections.Immutable;

namespace Vmm;

/// <summary>All state of one processor, by element: taken from one, given to another, compared, checked against power-on.</summary>
public sealed class ProcessorSnapshot
{
    /// <summary>Makes a snapshot of values.</summary>
    /// <exception cref="ArgumentException">An element, or a value of one, occurs twice.</exception>
    public ProcessorSnapshot(IEnumerable<ElementState> elements)
    {
        ArgumentNullException.ThrowIfNull(elements);
        Elements = [.. elements];
        foreach (ElementState element in Elements)
        {
            if (Elements.Count(other => other.Id == element.Id) != 1)
                throw new ArgumentException($"The state element '{element.Id}' occurs twice.", nameof(elements));
            if (element.Fields.IsDefault)
                throw new ArgumentException($"The state element '{element.Id}' has no list of values.", nameof(elements));
            if (element.Fields.GroupBy(field => field.Name).FirstOrDefault(group => group.Skip(1).Any()) is { } twice)
                throw new ArgumentException($"The state element '{element.Id}' has the value {twice.Key} twice.", nameof(elements));
        }
    }

    /// <summary>The elements.</summary>
    public ImmutableArray<ElementState> Elements { get; }

    /// <summary>Takes the state of a processor that is not running.</summary>
    /// <exception cref="InvalidOperationException">It is running, or an instruction is pending: finish it first.</exception>
    public static ProcessorSnapshot Capture(IVirtualProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        if (processor.IsPending)
            throw new InvalidOperationException($"Processor {processor.Index} has a pending instruction: finish it with CompletePending before saving its state.");
        StateElement[] present = Present(processor);
        processor.GetState(Groups(present), out ProcessorState state);
        return new(present.Select(element => element.Capture(processor, in state)));
    }

    /// <summary>The state that a processor has after power-on, as the architecture says, without what it leaves to the model.</summary>
    public static ProcessorSnapshot PowerOn(IVirtualProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        PartitionOptions options = processor.Partition.Options;
        ProcessorState state = PowerOnState.Create(processor.Partition.CpuProfile, processor.Index, options.LocalApic);
        return new(Present(processor).Select(element => element.PowerOn(processor, in state)));
    }

    /// <summary>
    /// Gives this state to a processor that is not running. Everything is checked before anything is changed, as far as the backend tells.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// An element or value is unknown, missing, of another version, or cannot be had here; the message names it.
    /// </exception>
    /// <exception cref="InvalidOperationException">The processor is running, or an instruction is pending.</exception>
    public void Apply(IVirtualProcessor processor) => Prepare(processor)();

    /// <summary>Checks this state against a processor; what comes back gives it to the processor.</summary>
    internal Action Prepare(IVirtualProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        string backend = processor.Partition.Capabilities.Backend;
        ProcessorState state = default;
        RegisterGroups groups = RegisterGroups.None;
        List<Action<IVirtualProcessor>> rest = [];
        foreach (ElementState values in Elements.OrderBy(values => Order(values.Id)))
        {
            StateElement element = StateElements.Find(values.Id) ?? throw new ArgumentException($"The state element '{values.Id}' is not known.");
            if (element.Version != values.Version)
            {
                throw new ArgumentException(
                    $"The state element '{values.Id}' was saved in version {values.Version}; this library knows version {element.Version}. Use a library that knows both.");
            }
            if (!element.IsPresent(processor))
            {
                throw new ArgumentException(
                    $"The state element '{values.Id}' was saved, and the {backend} backend does not have it in this partition. Restore where it is, or where the same options and CPU profile can be had.");
            }
            groups |= element.Group;
            if (element.Load(processor, values, ref state) is { } action)
                rest.Add(action);
        }
        return () =>
        {
            if (groups != RegisterGroups.None)
                processor.SetState(groups, in state);
            foreach (Action<IVirtualProcessor> action in rest)
                action(processor);
        };
    }

    /// <summary>Compares two snapshots; elements that run on by themselves are left out.</summary>
    public static ImmutableArray<StateDifference> Compare(ProcessorSnapshot expected, ProcessorSnapshot actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        ImmutableArray<StateDifference>.Builder differences = ImmutableArray.CreateBuilder<StateDifference>();
        foreach (string id in expected.Elements.Concat(actual.Elements).Select(element => element.Id).Distinct())
        {
            if (StateElements.Find(id) is { IsComparable: false })
                continue;
            Dictionary<string, UInt128> left = expected.Fields(id);
            Dictionary<string, UInt128> right = actual.Fields(id);
            foreach (string name in left.Keys.Union(right.Keys))
            {
                UInt128? before = left.TryGetValue(name, out UInt128 value) ? value : null;
                UInt128? after = right.TryGetValue(name, out value) ? value : null;
                if (before != after)
                    differences.Add(new(id, name, before, after));
            }
        }
        return differences.ToImmutable();
    }

    /// <summary>What of a processor differs from the architectural power-on state. Empty after a correct reset.</summary>
    public static ImmutableArray<StateDifference> CompareWithPowerOn(IVirtualProcessor processor) =>
        [.. Compare(PowerOn(processor), Capture(processor)).Where(difference => difference.Expected is not null)];

    private static StateElement[] Present(IVirtualProcessor processor) => [.. StateElements.All.Where(element => element.IsPresent(processor))];

    private static RegisterGroups Groups(IEnumerable<StateElement> elements) =>
        elements.Aggregate(RegisterGroups.None, (groups, element) => groups | element.Group);

    private static int Order(string id)
    {
        for (int i = 0; i < StateElements.All.Count; i++)
        {
            if (StateElements.All[i].Id == id)
                return i;
        }
        return int.MaxValue;
    }

    private Dictionary<string, UInt128> Fields(string id) =>
        Elements.FirstOrDefault(element => element.Id == id)?.Fields.ToDictionary(field => field.Name, field => field.Value) ?? [];
}
