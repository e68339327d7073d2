namespace Vmm;

/// <summary>Variations on a profile.</summary>
public static class CpuProfileExtensions
{
    /// <summary>The profile with other clocks; the leaves that tell of them (0x15, 0x16) follow.</summary>
    /// <param name="profile">The profile; it is not changed.</param>
    /// <param name="timeStampCounterFrequency">Hertz, above 0.</param>
    /// <param name="apicTimerFrequency">Hertz, above 0.</param>
    public static CpuProfile WithClocks(this CpuProfile profile, ulong timeStampCounterFrequency, ulong apicTimerFrequency)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentOutOfRangeException.ThrowIfZero(timeStampCounterFrequency);
        ArgumentOutOfRangeException.ThrowIfZero(apicTimerFrequency);
        return profile
            .WithLeaf(CpuidLeaves.Clock(timeStampCounterFrequency, apicTimerFrequency))
            .WithLeaf(CpuidLeaves.Frequency(timeStampCounterFrequency)) with
        {
            TimeStampCounterFrequency = timeStampCounterFrequency,
            ApicTimerFrequency = apicTimerFrequency,
        };
    }

    /// <summary>The profile with one leaf replaced, or added where it has none for that leaf and subleaf.</summary>
    /// <param name="profile">The profile; it is not changed.</param>
    /// <param name="leaf">The leaf.</param>
    public static CpuProfile WithLeaf(this CpuProfile profile, CpuidLeaf leaf)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(leaf);
        List<CpuidLeaf> leaves = [.. profile.Leaves];
        int index = leaves.FindIndex(other => other.Leaf == leaf.Leaf && other.Subleaf == leaf.Subleaf);
        if (index >= 0)
            leaves[index] = leaf;
        else
            leaves.Add(leaf);
        return profile with { Leaves = leaves.AsReadOnly() };
    }
}
