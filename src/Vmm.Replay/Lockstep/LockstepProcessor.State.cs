using System.Collections.Immutable;

namespace Vmm.Replay;

internal sealed partial class LockstepProcessor
{
    private byte[] _area = [];
    private byte[] _areaOfSecond = [];

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

    /// <summary>Registers and vector state are the same, byte for byte: what is cheap to see.</summary>
    public bool HasSameRegisters()
    {
        first.GetState(RegisterGroups.Registers, out ProcessorState one);
        second.GetState(RegisterGroups.Registers, out ProcessorState two);
        if (one != two || first.XsaveSize != second.XsaveSize)
            return false;
        if (_area.Length != first.XsaveSize)
            (_area, _areaOfSecond) = (new byte[first.XsaveSize], new byte[first.XsaveSize]);
        first.GetXsave(_area);
        second.GetXsave(_areaOfSecond);
        return _area.AsSpan().SequenceEqual(_areaOfSecond);
    }

    private bool IsSame()
    {
        partition.Comparisons++;
        return Differences().IsEmpty && FindMemoryDifferences().IsEmpty;
    }

    /// <summary>
    /// Memory that differs. Accessed flags of page tables do not count where a backend does not count instructions: processors may set them
    /// ahead of time (SDM Vol. 3A 4.8).
    /// </summary>
    public ImmutableArray<MemoryDifference> FindMemoryDifferences()
    {
        ImmutableArray<MemoryDifference> found = partition.Mirror.Compare();
        if (found.IsEmpty || IsCounted || found.Any(it => (it.First ^ it.Second) != 0x20 || (it.First & 1) == 0))
            return found;
        HashSet<ulong> tables = PageTables.Of(first);
        if (found.Any(it => !tables.Contains(it.Address & ~0xFFFUL)))
            return found;
        partition.Tolerate("accessed-flags");
        return [];
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
