using System.Collections.ObjectModel;
using Iced.Intel;

namespace Vmm.X86;

/// <summary>
/// What a virtual processor is, as CPUID tells it, and what follows from that: which instructions exist, which control-register bits may be
/// set, which states XSAVE knows. Immutable; processors of one partition share it.
/// </summary>
/// <remarks>Sources: SDM Vol. 2A (CPUID), Vol. 3A 2.5 and 13.2; AMD APM Vol. 3 appendix E.</remarks>
public sealed class CpuidModel
{
    private const uint Avx512 = (1U << 16) | (1U << 17) | (1U << 21) | (1U << 28) | (1U << 30) | (1U << 31); // F, DQ, IFMA, CD, BW, VL
    private const ulong ImplementedStates = 0x207;
    private const int MaximumXsaveSize = 4096;
    private const uint ExtendedBase = 0x8000_0000, HypervisorBase = 0x4000_0000;
    private static readonly (CpuFeature Feature, string Name)[] s_missing =
    [
        (CpuFeature.RandomNumber, "RDRAND"), (CpuFeature.RandomSeed, "RDSEED"), (CpuFeature.Adx, "ADX"), (CpuFeature.Sha, "SHA"),
        (CpuFeature.Gfni, "GFNI"), (CpuFeature.Vaes, "VAES"), (CpuFeature.VectorCarrylessMultiply, "VPCLMULQDQ"),
        (CpuFeature.MoveDirect, "MOVDIRI"), (CpuFeature.MoveDirect64, "MOVDIR64B"), (CpuFeature.Serialize, "SERIALIZE"),
        (CpuFeature.XsaveSupervisor, "XSAVES"), (CpuFeature.SecureVirtualMachine, "SVM"), (CpuFeature.Sse4A, "SSE4A"),
        (CpuFeature.MonitorX, "MONITORX"),
    ];

    private readonly Dictionary<(uint Leaf, uint Subleaf), CpuidRow> _indexed = [];
    private readonly Dictionary<uint, CpuidRow> _plain = [];
    private readonly HashSet<uint> _leavesWithSubleaves = [];
    private readonly uint[] _words = new uint[9];
    private readonly ushort[] _stateOffsets = new ushort[10];
    private readonly bool[] _stateAligned = new bool[10];
    private readonly bool[] _available;
    private readonly uint _maximumBasic, _maximumExtended;

    /// <summary>Makes the model of a list of answers.</summary>
    /// <param name="rows">Leaves, already masked to what the guest may see. A leaf is either plain or listed by subleaf; a later row
    /// replaces an earlier one.</param>
    /// <exception cref="ArgumentException">A leaf is listed both with and without a subleaf.</exception>
    public CpuidModel(IEnumerable<CpuidRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        foreach (CpuidRow row in rows)
        {
            if (row.Subleaf is uint subleaf)
            {
                _indexed[(row.Leaf, subleaf)] = row;
                _leavesWithSubleaves.Add(row.Leaf);
            }
            else
            {
                _plain[row.Leaf] = row;
            }
        }
        foreach (uint leaf in _leavesWithSubleaves)
        {
            if (_plain.ContainsKey(leaf))
                throw new ArgumentException($"CPUID leaf 0x{leaf:X} is listed both with and without a subleaf.", nameof(rows));
        }
        Rows = new ReadOnlyCollection<CpuidRow>([.. _plain.Values, .. _indexed.Values]);

        CpuidRow leaf0 = Find(0, 0), leaf1 = Find(1, 0), leaf7 = Find(7, 0), extended1 = Find(ExtendedBase + 1, 0);
        _maximumBasic = leaf0.Eax;
        _maximumExtended = Find(ExtendedBase, 0).Eax;
        IsIntel = leaf0.Ebx is not (0x6874_7541 or 0x6F67_7948); // "Auth", "Hygo"
        _words[0] = leaf1.Edx;
        _words[1] = leaf1.Ecx;
        _words[2] = leaf7.Ebx;
        _words[3] = leaf7.Ecx;
        _words[4] = leaf7.Edx;
        _words[5] = extended1.Edx;
        _words[6] = extended1.Ecx;
        _words[7] = Find(0xD, 1).Eax;
        CpuidRow sizes = Find(ExtendedBase + 8, 0);
        _words[8] = sizes.Ebx;
        Signature = leaf1.Eax;
        PhysicalAddressBits = (sizes.Eax & 0xFF) is >= 32 and <= 52 and uint bits ? (int)bits : 36;
        CpuidRow states = Find(0xD, 0);
        SupportedXcr0 = Has(CpuFeature.Xsave) ? (states.Eax & ImplementedStates) | 3 : 0;
        for (int state = 2; state < _stateOffsets.Length; state++)
        {
            if (((SupportedXcr0 >> state) & 1) == 0)
                continue;
            CpuidRow row = Find(0xD, (uint)state);
            uint size = (uint)Execution.XsaveStates.Size(state);
            if (row.Eax != size || row.Ebx < 576 || row.Ebx > MaximumXsaveSize - size)
                SupportedXcr0 &= ~(1UL << state);
            else
                _stateOffsets[state] = (ushort)row.Ebx;
            _stateAligned[state] = (row.Ecx & 2) != 0;
        }
        CpuidRow supervisorStates = Find(0xD, 1);
        SupportedXss = Has(CpuFeature.XsaveSupervisor) ? supervisorStates.Ecx | ((ulong)supervisorStates.Edx << 32) : 0;
        Cr4Allowed = ComputeCr4();
        EferAllowed = ComputeEfer();
        _available = InstructionAvailability.Compute(this);
        Missing = [.. FindMissing(leaf7.Ebx, states.Eax | ((ulong)states.Edx << 32))];
        DecoderOptions = (Has(CpuFeature.Bmi1) ? 0 : DecoderOptions.NoMPFX_0FBC) | (Has(CpuFeature.LeadingZeroCount)
            ? 0 : DecoderOptions.NoMPFX_0FBD)
            | (Has(CpuFeature.WriteBackNoInvalidate) ? 0 : DecoderOptions.NoWbnoinvd);
    }

    /// <summary>A plain x86-64 processor: SSE2, NX, SYSCALL, CMPXCHG16B, LAHF in 64-bit mode; no XSAVE, no APIC timer.</summary>
    public static CpuidModel Baseline { get; } = new(
    [
        new CpuidRow(0, null, 1, 0x756E_6547, 0x6C65_746E, 0x4965_6E69),
        new CpuidRow(1, null, 0x000006F2, 0x0001_0800, 0x8000_2001, 0x078B_FBFF),
        new CpuidRow(ExtendedBase, null, ExtendedBase + 8, 0, 0, 0),
        new CpuidRow(ExtendedBase + 1, null, 0, 0, 1, 0x2010_0800),
        new CpuidRow(ExtendedBase + 8, null, 0x3028, 0, 0, 0),
    ]);

    /// <summary>
    /// How bytes must be decoded: without the feature, TZCNT is BSF, LZCNT is BSR and WBNOINVD is WBINVD, their prefix being ignored.
    /// </summary>
    public DecoderOptions DecoderOptions { get; }

    /// <summary>The answers it was made of.</summary>
    public IReadOnlyList<CpuidRow> Rows { get; }

    /// <summary>
    /// The vendor is not AMD or Hygon, and Intel's rules hold where the two differ: SYSCALL exists in 64-bit mode only, and leaves past the
    /// last answer as the last.
    /// </summary>
    public bool IsIntel { get; }

    /// <summary>Leaf 1 EAX: what EDX holds after reset.</summary>
    public uint Signature { get; }

    /// <summary>Guest-physical address width in bits, 32 to 52 (leaf 0x80000008, else 36).</summary>
    public int PhysicalAddressBits { get; }

    /// <summary>
    /// Bits that XCR0 may hold; zero without XSAVE. A component that leaf 0xD does not describe as the manual does, or not inside 4 KiB, is
    /// none.
    /// </summary>
    public ulong SupportedXcr0 { get; }

    /// <summary>Bits that IA32_XSS may hold.</summary>
    public ulong SupportedXss { get; }

    /// <summary>Bits that CR4 may hold; others are reserved.</summary>
    public ulong Cr4Allowed { get; }

    /// <summary>Bits that EFER may hold; others are reserved. LMA is read-only and not among them.</summary>
    public ulong EferAllowed { get; }

    /// <summary>
    /// Features that are shown but that no processor of this core has, by name: instructions that would be #UD all the same.
    /// </summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Bits of a linear address at most: 57 with 5-level paging, else 48.</summary>
    public int LinearAddressBits => Has(CpuFeature.La57) ? 57 : 48;

    /// <summary>Whether the bits of an address past <see cref="LinearAddressBits"/> are copies of its last.</summary>
    public bool IsCanonicalBase(ulong linear)
    {
        int shift = 64 - LinearAddressBits;
        return (ulong)((long)(linear << shift) >> shift) == linear;
    }

    /// <summary>Whether a feature is shown.</summary>
    public bool Has(CpuFeature feature) => ((_words[(int)feature >> 5] >> ((int)feature & 31)) & 1) != 0;

    /// <summary>Whether an instruction exists on this processor; if not, it is #UD wherever it is decoded.</summary>
    public bool IsAvailable(Code code) => _available[(int)code];

    /// <summary>Offset of a supported component from 2 on in the standard XSAVE format (leaf 0xD); zero for others.</summary>
    public int XsaveOffset(int state) => _stateOffsets[state];

    /// <summary>Where a component begins in the compacted format, whose predecessors end at <paramref name="next"/>.</summary>
    public int AlignXsave(int state, int next) => _stateAligned[state] ? (next + 63) & ~63 : next;

    /// <summary>Answers CPUID.</summary>
    /// <param name="leaf">EAX.</param>
    /// <param name="subleaf">ECX.</param>
    /// <param name="dynamics">State of the asking processor.</param>
    public CpuidAnswer Query(uint leaf, uint subleaf, in CpuidDynamics dynamics)
    {
        if (IsBeyond(leaf))
        {
            if (!IsIntel)
                return default;
            leaf = _maximumBasic; // SDM: any leaf past the last answers as the highest basic one
        }
        CpuidRow row = Find(leaf, subleaf);
        CpuidAnswer answer = new(row.Eax, row.Ebx, row.Ecx, row.Edx);
        switch (leaf)
        {
            case 1:
                answer.Ebx = (answer.Ebx & 0x00FF_FFFF) | (dynamics.ApicId << 24);
                answer.Ecx = Bit(answer.Ecx, 27, Has(CpuFeature.Xsave) && (dynamics.Cr4 & Execution.Cr4Bits.OsXsave) != 0);
                if (!dynamics.ApicEnabled)
                    answer.Edx &= ~(1U << 9);
                break;
            case 7 when subleaf == 0:
                answer.Ecx = Bit(answer.Ecx, 4, Has(CpuFeature.ProtectionKeys) && (dynamics.Cr4 & Execution.Cr4Bits.ProtectionKeys) != 0);
                break;
            case 0xB or 0x1F:
                answer.Ecx = (answer.Ecx & ~0xFFU) | (subleaf & 0xFF);
                answer.Edx = dynamics.ApicId;
                break;
            case 0xD when subleaf == 0 && Has(CpuFeature.Xsave):
                answer.Ebx = StandardSize(dynamics.Xcr0);
                break;
            case 0xD when subleaf == 1:
                answer.Ebx = Has(CpuFeature.XsaveCompacted)
                    || Has(CpuFeature.XsaveSupervisor) ? CompactedSize(dynamics.Xcr0 | dynamics.Xss) : 0;
                break;
            case ExtendedBase + 1:
                if (!IsIntel && !dynamics.ApicEnabled)
                    answer.Edx &= ~(1U << 9);
                break;
            default:
                break;
        }
        return answer;
    }

    private bool IsBeyond(uint leaf) => leaf switch
    {
        < HypervisorBase => leaf > _maximumBasic,
        < ExtendedBase => !Has(CpuFeature.Hypervisor) || leaf > Math.Max(Find(HypervisorBase, 0).Eax, HypervisorBase),
        _ => leaf > _maximumExtended,
    };

    private CpuidRow Find(uint leaf, uint subleaf)
    {
        if (_plain.TryGetValue(leaf, out CpuidRow row))
            return row;
        return _indexed.GetValueOrDefault((leaf, subleaf));
    }

    private uint StandardSize(ulong states)
    {
        uint size = 576; // legacy area and header
        for (int state = 2; state < 63; state++)
        {
            if (((states >> state) & 1) != 0)
            {
                CpuidRow row = Find(0xD, (uint)state);
                size = Math.Max(size, row.Ebx + row.Eax);
            }
        }
        return size;
    }

    private uint CompactedSize(ulong states)
    {
        uint size = 576;
        for (int state = 2; state < 63; state++)
        {
            if (((states >> state) & 1) == 0)
                continue;
            CpuidRow row = Find(0xD, (uint)state);
            if ((row.Ecx & 2) != 0)
                size = (size + 63) & ~63U;
            size += row.Eax;
        }
        return size;
    }

    private IEnumerable<string> FindMissing(uint leaf7Ebx, ulong states)
    {
        foreach ((CpuFeature feature, string name) in s_missing)
        {
            if (Has(feature))
                yield return name;
        }
        if ((_words[1] & (1 << 5)) != 0)
            yield return "VMX";
        if ((leaf7Ebx & Avx512) != 0)
            yield return "AVX-512";
        if (Has(CpuFeature.Xsave) && (states & ~(ImplementedStates | 3)) != 0)
            yield return $"XSAVE components 0x{states & ~(ImplementedStates | 3):X}";
    }

    private ulong ComputeCr4()
    {
        ulong bits = 0;
        Add(ref bits, CpuFeature.Vme, Execution.Cr4Bits.Vme | Execution.Cr4Bits.Pvi);
        Add(ref bits, CpuFeature.TimeStampCounter, Execution.Cr4Bits.TimeStampDisable);
        Add(ref bits, CpuFeature.DebuggingExtensions, Execution.Cr4Bits.DebuggingExtensions);
        Add(ref bits, CpuFeature.PageSizeExtension, Execution.Cr4Bits.PageSizeExtension);
        Add(ref bits, CpuFeature.PhysicalAddressExtension, Execution.Cr4Bits.PhysicalAddressExtension);
        Add(ref bits, CpuFeature.MachineCheck, Execution.Cr4Bits.MachineCheck);
        Add(ref bits, CpuFeature.PageGlobal, Execution.Cr4Bits.PageGlobal);
        bits |= Execution.Cr4Bits.PerformanceCounter;
        Add(ref bits, CpuFeature.FxSave, Execution.Cr4Bits.OsFxsr);
        Add(ref bits, CpuFeature.Sse, Execution.Cr4Bits.OsXmmExceptions);
        Add(ref bits, CpuFeature.Umip, Execution.Cr4Bits.Umip);
        Add(ref bits, CpuFeature.FsGsBase, Execution.Cr4Bits.FsGsBase);
        Add(ref bits, CpuFeature.Pcid, Execution.Cr4Bits.Pcid);
        Add(ref bits, CpuFeature.Xsave, Execution.Cr4Bits.OsXsave);
        Add(ref bits, CpuFeature.Smep, Execution.Cr4Bits.Smep);
        Add(ref bits, CpuFeature.Smap, Execution.Cr4Bits.Smap);
        Add(ref bits, CpuFeature.ProtectionKeys, Execution.Cr4Bits.ProtectionKeys);
        Add(ref bits, CpuFeature.La57, Execution.Cr4Bits.La57);
        return bits;
    }

    private ulong ComputeEfer()
    {
        ulong bits = 0;
        Add(ref bits, CpuFeature.Syscall, Execution.EferBits.SyscallEnable);
        Add(ref bits, CpuFeature.LongMode, Execution.EferBits.LongModeEnable);
        Add(ref bits, CpuFeature.NoExecute, Execution.EferBits.NoExecute);
        Add(ref bits, CpuFeature.FastFxSave, 0x4000);
        return bits;
    }

    private void Add(ref ulong bits, CpuFeature feature, ulong value)
    {
        if (Has(feature))
            bits |= value;
    }

    private static uint Bit(uint word, int bit, bool value) => value ? word | (1U << bit) : word & ~(1U << bit);
}
