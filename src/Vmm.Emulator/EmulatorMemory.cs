using Vmm.Emulator.NestedPaging;

namespace Vmm.Emulator;

/// <summary>The guest-physical address space of an emulated machine, kept in nested page tables of the chosen format.</summary>
internal sealed class EmulatorMemory : SecondLevelAddressTranslationBase
{
    private readonly EmulatorPartition _partition;
    private ulong _shootdowns;

    public EmulatorMemory(EmulatorPartition partition, SlatFormat format)
        : base(partition)
    {
        _partition = partition;
        Format = format;
        Table = format switch
        {
            SlatFormat.Ept => new ExtendedPageTable(),
            SlatFormat.Npt => new AmdNestedPageTable(),
            _ => new FlatMap(),
        };
    }

    public override SlatFormat? Format { get; }

    /// <summary>The tables.</summary>
    public NestedPageTable Table { get; }

    public override SlatStatistics Statistics
    {
        get
        {
            NestedTableStatistics table = Table.Statistics;
            NestedWalkCounters walks = default;
            ulong misses = 0;
            foreach (EmulatorVirtualProcessor processor in _partition.EmulatedProcessors)
            {
                ref readonly NestedWalkCounters own = ref processor.Core.WalkCounters;
                walks.Walks += own.Walks;
                walks.EntriesRead += own.EntriesRead;
                walks.Violations += own.Violations;
                walks.Misconfigurations += own.Misconfigurations;
                misses += processor.Core.TranslationMisses;
            }
            return new SlatStatistics
            {
                Pages4K = (ulong)table.SmallPages,
                Pages2M = (ulong)table.TwoMegabytePages,
                Pages1G = (ulong)table.GigabytePages,
                TablePages = (ulong)table.TablePages,
                Splits = (ulong)table.Splits,
                Promotions = (ulong)table.Promotions,
                Walks = (ulong)walks.Walks,
                EntriesRead = (ulong)walks.EntriesRead,
                Violations = (ulong)walks.Violations,
                Misconfigurations = (ulong)walks.Misconfigurations,
                TlbMisses = misses,
                Shootdowns = _shootdowns,
            };
        }
    }

    protected override void MapCore(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access)
    {
        nuint host = (nuint)memory.DangerousGetHandle() + (nuint)offset;
        Apply(address, length, Guarded(() => Table.Map(address, host, length, Rights(access))));
    }

    protected override void UnmapCore(ulong address, ulong length) => Apply(address, length, Guarded(() => Table.Unmap(address, length)));

    protected override void ProtectCore(ulong address, ulong length, GuestAccess access) =>
        Apply(address, length, Guarded(() => Table.Protect(address, length, Rights(access))));

    protected override void TrackDirtyCore(ulong address, ulong length, bool enable) =>
        Apply(address, 0, Guarded(() => Table.SetDirtyLogging(address, length, enable)));

    protected override void HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap)
    {
        if (Table.HarvestDirty(address, length, bitmap, true))
            Apply(address, 0, true);
    }

    protected override void OnHostWrite(ulong address, ulong length)
    {
        Table.MarkDirty(address, length);
#if VMM_MUTANTS
        if (Broken(Mutant.HostCodeChangeMissed))
            return;
#endif
        _partition.InvalidateCode(address, length);
    }

    protected override PhysicalTranslationResult TranslateCore(ulong address, GuestAccess access)
    {
        if (address >> AddressBits != 0)
            return new PhysicalTranslationResult { Status = TranslationStatus.Unmapped };
        bool granted = Table.Inspect(address, access, out NestedWalkResult walk);
        return new PhysicalTranslationResult
        {
            Status = granted ? TranslationStatus.Success : walk.Status == NestedWalkStatus.NotPresent ? TranslationStatus.Unmapped : TranslationStatus.AccessDenied,
            Access = walk.Rights,
            PageSize = granted || walk.Status == NestedWalkStatus.Violation ? 1UL << walk.PageSizeLog2 : 0,
            FailingLevel = granted || walk.Depth == 0 ? 0 : 5 - walk.Depth,
        };
    }

    /// <summary>Rings the doorbell that a store to unmapped memory hits.</summary>
    public bool Ring(ulong address, int size, ulong value) => TryRing(address, size, value);

    /// <summary>Frees the tables and lets go of all memory; no processor runs any more.</summary>
    public void Free()
    {
        Table.Dispose();
        ReleaseRegions();
    }

    private GuestAccess Rights(GuestAccess access) => _partition.Options.EnforceExecute ? access : access | GuestAccess.Execute;

    // The processors are stopped: their cached translations go, then nothing refers to retired tables any more.
    private void Apply(ulong address, ulong codeLength, bool changed)
    {
        if (codeLength != 0)
            _partition.InvalidateCode(address, codeLength);
        if (!changed)
            return;
        _shootdowns++;
        _partition.FlushTranslations();
        Table.Reclaim();
    }

    private static bool Guarded(Func<bool> change)
    {
        try
        {
            return change();
        }
        catch (InsufficientMemoryException e)
        {
            throw new HypervisorException("emulator", "changing the nested page tables", 0, null, "Map memory in larger, aligned pieces, or less of it.", e);
        }
    }
}
