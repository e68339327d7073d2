using System.Collections.Immutable;

namespace Vmm.Replay;

internal sealed partial class LockstepProcessor
{
    /// <summary>What differs and is not known; counts what is.</summary>
    private ImmutableArray<StateDifference> Differences()
    {
        ProcessorSnapshot one = ProcessorSnapshot.Capture(first), two = ProcessorSnapshot.Capture(second);
        ImmutableArray<StateDifference>.Builder? found = null;
        foreach (StateDifference difference in ProcessorSnapshot.Compare(one, two))
        {
            if (!IsShared(difference))
                continue;
            if (partition.Hypervisor.Options.Tolerances.FirstOrDefault(it => it.Covers(difference)) is { } tolerance)
                partition.Tolerate(tolerance.Name);
            else
                (found ??= ImmutableArray.CreateBuilder<StateDifference>()).Add(difference);
        }
        return found?.ToImmutable() ?? [];
    }

    private bool IsSame()
    {
        partition.Comparisons++;
        return Differences().IsEmpty && partition.Mirror.Compare().IsEmpty;
    }

    // What one of them has not is no difference, except pieces of vector state: those that are zero are left out.
    private static bool IsShared(StateDifference difference) =>
        (difference.Expected is not null && difference.Actual is not null) || difference.Element == StateElements.Xsave.Id;

    // The part of a snapshot that another backend has as well.
    private static ProcessorSnapshot Shared(ProcessorSnapshot from, ProcessorSnapshot other)
    {
        List<ElementState> elements = [];
        foreach (ElementState element in from.Elements)
        {
            if (other.Elements.FirstOrDefault(it => it.Id == element.Id) is not { } there)
                continue;
            bool isXsave = element.Id == StateElements.Xsave.Id;
            elements.Add(element with { Fields = [.. element.Fields.Where(field => isXsave || there.Fields.Any(it => it.Name == field.Name))] });
        }
        return new ProcessorSnapshot(elements);
    }
}
