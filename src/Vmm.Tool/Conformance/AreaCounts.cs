namespace Vmm.Tool.Conformance;

/// <summary>Cases of an area by outcome.</summary>
internal readonly record struct AreaCounts(int Passed, int Skipped, int Absent, int Failed)
{
    /// <summary>All of them.</summary>
    public int Total => Passed + Skipped + Absent + Failed;

    public static AreaCounts operator +(AreaCounts a, AreaCounts b) =>
        new(a.Passed + b.Passed, a.Skipped + b.Skipped, a.Absent + b.Absent, a.Failed + b.Failed);

    /// <summary>All passed as one number, else in words.</summary>
    public override string ToString()
    {
        if (Passed == Total)
            return $"{Passed}";
        string[] rest =
        [
            .. new[] { (Failed, "failed"), (Absent, "absent"), (Skipped, "skipped") }.Where(one => one.Item1 != 0).Select(one => $"{one.Item1} {one.Item2}"),
        ];
        return $"{Passed}, {string.Join(", ", rest)}";
    }
}
