using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>A memory, a mode and short names for walking.</summary>
internal sealed class WalkBench
{
    public const ulong Wp = 1 << 16;
    public const ulong Pg = 1UL << 31;
    public const ulong Pse = 1 << 4;
    public const ulong Pae = 1 << 5;
    public const ulong Pge = 1 << 7;
    public const ulong La57 = 1 << 12;
    public const ulong Smep = 1 << 20;
    public const ulong Smap = 1 << 21;
    public const ulong Lma = 1 << 10;
    public const ulong Nxe = 1 << 11;

    private SparseMemory.Seam _seam;

    public WalkBench() => _seam = new SparseMemory.Seam(Memory);

    public SparseMemory Memory { get; } = new();

    public PagingFeatures Features { get; set; } = new(40, true, true);

    public PagingMode Mode { get; private set; }

    public void SetMode(ulong cr0, ulong cr3, ulong cr4, ulong efer) => Mode = new PagingMode(cr0, cr3, cr4, efer, Features);

    public void FourLevel(ulong cr3, ulong cr0 = Wp, ulong cr4 = 0, ulong efer = Nxe) => SetMode(Pg | cr0, cr3, Pae | cr4, Lma | efer);

    public void Legacy(ulong cr3, ulong cr0 = Wp, ulong cr4 = Pse) => SetMode(Pg | cr0, cr3, cr4, 0);

    public PaePointersLoad LoadPae(ulong cr3, ulong cr0 = Wp, ulong cr4 = 0, ulong efer = Nxe)
    {
        PaePointersLoad load = PaePointers.TryLoad(ref _seam, cr3, Features, out PaePointers pointers, out ulong failing);
        FailingAddress = failing;
        if (load == PaePointersLoad.Loaded)
            Mode = new PagingMode(Pg | cr0, cr3, Pae | cr4, efer, Features, pointers);
        return load;
    }

    public ulong FailingAddress { get; private set; }

    public PageWalkResult Walk(ulong linear, PageAccess access = PageAccess.Read)
    {
        PageWalkOutcome outcome = PageWalker.Walk(Mode, ref _seam, linear, access, out PageWalkResult result);
        result.Outcome.Should().Be(outcome);
        return result;
    }

    public PageWalkResult Probe(ulong linear, PageAccess access = PageAccess.Read)
    {
        PageWalkOutcome outcome = PageWalker.Probe(Mode, ref _seam, linear, access, out PageWalkResult result);
        result.Outcome.Should().Be(outcome);
        return result;
    }
}
