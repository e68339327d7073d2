using System.Globalization;
using System.Text;
using Vmm.Differential.Cases;
using Vmm.Differential.Comparison;
using Vmm.Differential.Emulated;

using Encoding = Vmm.Differential.Cases.Encoding;

namespace Vmm.Differential.Running;

/// <summary>What a run found. Workers add to it; reading is for afterwards.</summary>
internal sealed class RunReport(RunOptions options, Encoding[] encodings)
{
    private readonly Lock _lock = new();
    private readonly long[] _byCode = new long[Enum.GetValues<Code>().Max(code => (int)code) + 1];
    private readonly Dictionary<string, long> _leftOut = [];
    private readonly Dictionary<Code, int> _keptByCode = [];
    private readonly Dictionary<Code, long> _differencesByCode = [];

    public long Cases { get; private set; }

    public long Hung { get; private set; }

    public long Faults { get; private set; }

    public long Skipped { get; private set; }

    public long DifferenceCount { get; private set; }

    public List<Difference> Differences { get; } = [];

    public TimeSpan Elapsed { get; set; }

    /// <summary>Encodings that occurred.</summary>
    public int Covered => encodings.Count(encoding => _byCode[(int)encoding.Code] != 0);

    public void Add(IReadOnlyList<TestCase> tests, int count, int hung, int faults, int skipped)
    {
        lock (_lock)
        {
            Cases += count;
            Hung += hung;
            Faults += faults;
            Skipped += skipped;
            for (int i = 0; i < count; i++)
                _byCode[(int)tests[i].Instruction.Code]++;
        }
    }

    public void AddLeftOut(Dictionary<string, long> counts)
    {
        lock (_lock)
        {
            foreach ((string reason, long count) in counts)
                _leftOut[reason] = _leftOut.GetValueOrDefault(reason) + count;
        }
    }

    /// <summary>Counts a difference.</summary>
    /// <returns>Whether it shall be shrunk and kept: a few of an encoding are enough.</returns>
    public bool Count(Code code)
    {
        lock (_lock)
        {
            DifferenceCount++;
            _differencesByCode[code] = _differencesByCode.GetValueOrDefault(code) + 1;
            int kept = _keptByCode.GetValueOrDefault(code);
            if (kept >= 2 || _keptByCode.Values.Sum() >= options.KeptDifferences)
                return false;
            _keptByCode[code] = kept + 1;
            return true;
        }
    }

    public void Keep(Difference difference)
    {
        lock (_lock)
            Differences.Add(difference);
    }

    /// <summary>The whole report as text.</summary>
    public string Describe()
    {
        StringBuilder text = new();
        foreach (Difference difference in Differences)
            text.AppendLine(difference.Text).AppendLine(difference.Reproduction).AppendLine();
        if (_differencesByCode.Count != 0)
        {
            text.AppendLine("Differences by encoding:");
            foreach ((Code code, long count) in _differencesByCode.OrderByDescending(pair => pair.Value))
                text.AppendLine(CultureInfo.InvariantCulture, $"  {count,8}  {code}");
        }

        text.AppendLine("Left out:");
        foreach (IGrouping<string, Encoding> group in Encoding.All
            .Select(encoding => (encoding, Reason: Exclusions.Reason(new Instruction { Code = encoding.Code }, EmulatedModel.Model)))
            .Where(pair => pair.Reason != null).GroupBy(pair => pair.Reason!, pair => pair.encoding)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            string names = group.Key == Exclusions.NotInProfile ? ""
                : ": " + string.Join(' ', group.Select(e => e.Info.Mnemonic).Distinct());
            text.AppendLine(CultureInfo.InvariantCulture, $"  {group.Count(),4} encodings, {group.Key}{names}");
        }

        text.AppendLine("Made and dropped (mutations that became something left out):");
        foreach ((string reason, long count) in _leftOut.OrderByDescending(pair => pair.Value))
            text.AppendLine(CultureInfo.InvariantCulture, $"  {count,8}  {reason}");
        string[] missing = [.. encodings.Where(encoding => _byCode[(int)encoding.Code] == 0).Select(encoding => encoding.Name)];
        if (missing.Length != 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"Not met in this run: {string.Join(' ', missing)}");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Profile {EmulatedModel.Profile.Name}: {Covered} of {encodings.Length} encodings covered, "
            + $"{_byCode[0]} cases of bytes that are no instruction");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Seed {options.Seed}: {Cases} cases in {Elapsed.TotalSeconds:F0} s ({Cases / Math.Max(Elapsed.TotalSeconds, 0.001):F0}/s), "
            + $"{Faults} ended in a fault, {Hung} never end on the host, {Skipped} left to the maker: {DifferenceCount} differences");
        return text.ToString();
    }
}
