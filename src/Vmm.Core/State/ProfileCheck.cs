using System.Text;

namespace Vmm;

/// <summary>
/// Whether one CPU profile can stand in for another: collects every difference that matters, with what each side has, and what would help.
/// </summary>
internal sealed class ProfileCheck
{
    private const int MostNamed = 6;
    private const uint OsXsave = 1 << 27;
    private const uint Apic = 1 << 9;
    private const uint ApicExtensions = (1 << 21) | (1 << 24);

    private readonly CpuProfile _saved;
    private readonly CpuProfile _here;
    private readonly RestoreOptions _options;
    private readonly bool _hasApic;
    private readonly List<string> _refusals = [];
    private Difference _kinds;

    private ProfileCheck(CpuProfile saved, CpuProfile here, RestoreOptions options, bool hasApic)
    {
        _saved = saved;
        _here = here;
        _options = options;
        _hasApic = hasApic;
    }

    [Flags]
    private enum Difference
    {
        None = 0,
        Lack = 1,
        More = 2,
        Clock = 4,
    }

    /// <summary>Checks.</summary>
    /// <param name="saved">What the saved guest saw.</param>
    /// <param name="here">What it would see here.</param>
    /// <param name="options">What is admitted.</param>
    /// <param name="hasApic">The guest has local APICs: only then do the features that need one count.</param>
    /// <exception cref="SavedStateException">It cannot; names the leaves and properties.</exception>
    public static void Check(CpuProfile saved, CpuProfile here, RestoreOptions options, bool hasApic) => new ProfileCheck(saved, here, options, hasApic).Run();

    private void Run()
    {
        if (_saved.PhysicalAddressBits != _here.PhysicalAddressBits)
        {
            Refuse(
                _saved.PhysicalAddressBits < _here.PhysicalAddressBits ? Difference.More : Difference.Lack,
                $"the physical address width is {_saved.PhysicalAddressBits} bits for the saved guest and {_here.PhysicalAddressBits} here");
        }
        Clock("TSC frequency", _saved.TimeStampCounterFrequency, _here.TimeStampCounterFrequency);
        Clock("APIC timer frequency", _saved.ApicTimerFrequency, _here.ApicTimerFrequency);
        if (_saved.Xcr0Mask != _here.Xcr0Mask)
        {
            Refuse(
                (_saved.Xcr0Mask & ~_here.Xcr0Mask) == 0 ? Difference.More : Difference.Lack,
                $"XCR0 may hold 0x{_saved.Xcr0Mask:X} for the saved guest and 0x{_here.Xcr0Mask:X} here");
        }
        foreach (CpuidLeaf leaf in _saved.Leaves)
            Check(leaf);
        foreach (CpuidLeaf leaf in _here.Leaves)
        {
            if (_saved.Find(leaf.Leaf, leaf.Subleaf ?? 0) is null && leaf.Value != default)
                Refuse(Difference.More, $"CPUID leaf {Name(leaf)} is {Print(leaf.Value)} here, and the saved guest did not see it");
        }
        if (_refusals.Count != 0)
            throw new SavedStateException(Explain());
    }

    private void Check(CpuidLeaf saved)
    {
        CpuidLeaf? entry = _here.Find(saved.Leaf, saved.Subleaf ?? 0);
        CpuidResult found = entry?.Value ?? default;
        CpuidResult before = Settled(saved.Leaf, saved.Value);
        CpuidResult after = Settled(saved.Leaf, found);
        if (before == after)
            return;
        string words = entry is null
            ? $"CPUID leaf {Name(saved)} was {Print(saved.Value)} for the saved guest and is not shown here"
            : $"CPUID leaf {Name(saved)} was {Print(saved.Value)} for the saved guest and is {Print(found)} here";
        if (saved.Leaf is 0x15 or 0x16)
        {
            Refuse(Difference.Clock, words);
            return;
        }
        CpuidResult missing = Missing(saved, before, after);
        if (missing == default)
            Refuse(Difference.More, words);
        else
            Refuse(Difference.Lack, IsExact(saved) ? words : $"{words}, which lacks {Registers(missing)}");
    }

    // What depends on the processor, and what shows only with a local APIC, is no part of the model.
    private CpuidResult Settled(uint leaf, CpuidResult value) => leaf == 1
        ? value with { Ebx = value.Ebx & 0x00FF_FFFF, Ecx = value.Ecx & ~(OsXsave | (_hasApic ? 0 : ApicExtensions)), Edx = value.Edx & ~Apic }
        : value;

    // Numbers and texts, of which there is no more or less (SDM Vol. 2A, CPUID); in the other leaves bits are features.
    private static bool IsExact(CpuidLeaf leaf) => leaf.Leaf switch
    {
        0 or 1 or 6 or 7 or 0x8000_0000 or 0x8000_0001 or 0x8000_0007 or 0x8000_0008 => false,
        0xD => leaf.Subleaf > 1,
        >= 0x8000_0002 and <= 0x8000_0004 => false,
        _ => true,
    };

    // What the saved guest saw and would miss here. Highest leaves and widths may grow; signatures and the processor's name say nothing
    // that a guest could use.
    private static CpuidResult Missing(CpuidLeaf leaf, CpuidResult saved, CpuidResult here)
    {
        CpuidResult gone = new(saved.Eax & ~here.Eax, saved.Ebx & ~here.Ebx, saved.Ecx & ~here.Ecx, saved.Edx & ~here.Edx);
        return leaf.Leaf switch
        {
            0 or 0x8000_0000 => new(here.Eax < saved.Eax ? saved.Eax : 0, saved.Ebx ^ here.Ebx, saved.Ecx ^ here.Ecx, saved.Edx ^ here.Edx),
            1 => gone with { Eax = 0, Ebx = (saved.Ebx ^ here.Ebx) & 0xFF00 },
            0x8000_0001 => gone with { Eax = 0, Ebx = 0 },
            7 => gone with { Eax = leaf.Subleaf is null or 0 ? 0 : gone.Eax },
            0xD when leaf.Subleaf is null or 0 => gone with { Ebx = 0, Ecx = 0 },
            0xD when leaf.Subleaf == 1 => gone with { Ebx = 0 },
            0x8000_0008 => new((here.Eax >> 8 & 0xFF) < (saved.Eax >> 8 & 0xFF) ? saved.Eax : 0, gone.Ebx, 0, 0),
            >= 0x8000_0002 and <= 0x8000_0004 => default,
            _ when IsExact(leaf) => new(saved.Eax ^ here.Eax, saved.Ebx ^ here.Ebx, saved.Ecx ^ here.Ecx, saved.Edx ^ here.Edx),
            _ => gone,
        };
    }

    private void Clock(string what, ulong saved, ulong here)
    {
        if (saved != here)
            Refuse(Difference.Clock, $"the {what} is {saved} Hz for the saved guest and {here} Hz here");
    }

    private void Refuse(Difference kind, string words)
    {
        if ((kind == Difference.More && _options.AllowSupersetCpuid) || (kind == Difference.Clock && _options.AllowOtherClocks))
            return;
        _kinds |= kind;
        _refusals.Add(words);
    }

    private string Explain()
    {
        StringBuilder text = new("The saved guest's processor cannot be had here: ");
        text.AppendJoin("; ", _refusals.Take(MostNamed));
        if (_refusals.Count > MostNamed)
            text.Append("; and ").Append(_refusals.Count - MostNamed).Append(" more");
        text.Append('.');
        if ((_kinds & Difference.Lack) != 0)
            text.Append(" Restore where these are shown, or give the guest a CPU profile that both places have before it first starts.");
        if ((_kinds & Difference.Clock) != 0)
            text.Append(" Give the guest this partition's clocks before it first starts (CpuProfile.WithClocks), or set AllowOtherClocks and let it measure time wrongly.");
        if ((_kinds & Difference.More) != 0)
            text.Append(" What this partition shows beyond that, AllowSupersetCpuid admits.");
        return text.ToString();
    }

    private static string Name(CpuidLeaf leaf) => leaf.Subleaf is { } subleaf ? $"0x{leaf.Leaf:X}.{subleaf}" : $"0x{leaf.Leaf:X}";

    private static string Print(CpuidResult value) => $"{value.Eax:X8}:{value.Ebx:X8}:{value.Ecx:X8}:{value.Edx:X8}";

    private static string Registers(CpuidResult bits)
    {
        (string Name, uint Bits)[] registers = [("EAX", bits.Eax), ("EBX", bits.Ebx), ("ECX", bits.Ecx), ("EDX", bits.Edx)];
        return string.Join(", ", registers.Where(register => register.Bits != 0).Select(register => $"0x{register.Bits:X} in {register.Name}"));
    }
}
