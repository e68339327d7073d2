using FsCheck;
using FsCheck.Fluent;
using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>Random structures, registers and accesses: the walker and the bit-by-bit reading of the manual say the same.</summary>
public sealed class PageWalkerModelTests
{
    private const int WalksPerSeed = 40;

    [Fact]
    public void Random_structures_walk_as_the_manual_reads() =>
        Prop.ForAll<int>(ArbMap.Default.ArbFor<int>(), seed => Check(new Random(seed))).Check(
            Config.QuickThrowOnFailure.WithMaxTest(3_000).WithReplay(17, 23));

    private static bool Check(Random random)
    {
        WalkBench bench = new()
        {
            Features = new PagingFeatures((byte)random.Next(32, 53), random.Next(2) == 0, random.Next(2) == 0),
        };
        int structure = random.Next(4);
        ulong cr0 = WalkBench.Pg | (random.Next(2) == 0 ? WalkBench.Wp : 0);
        ulong cr4 = Some(random, WalkBench.Smep) | Some(random, WalkBench.Smap) | Some(random, WalkBench.Pse) | Some(random, WalkBench.Pge);
        ulong efer = Some(random, WalkBench.Nxe);
        if (structure > 0)
            cr4 |= WalkBench.Pae;
        if (structure > 1)
            efer |= WalkBench.Lma;
        if (structure == 3)
            cr4 |= WalkBench.La57;

        Fill(random, bench, structure);
        if (structure == 1)
        {
            if (bench.LoadPae(0x1000, cr0, cr4, efer) != PaePointersLoad.Loaded)
                return true;
        }
        else
        {
            bench.SetMode(cr0, 0x1000, cr4, efer);
        }

        ReferenceWalk reference = new(bench.Memory, bench.Features, cr0, 0x1000, cr4, efer);
        for (int i = 0; i < WalksPerSeed; i++)
            Compare(random, bench, reference, structure);
        return true;
    }

    private static void Compare(Random random, WalkBench bench, ReferenceWalk reference, int structure)
    {
        bool execute = random.Next(3) == 0;
        bool write = !execute && random.Next(2) == 0;
        bool user = random.Next(2) == 0;
        bool smapOverride = !user && !execute && random.Next(2) == 0;
        PageAccess access = (write ? PageAccess.Write : 0) | (execute ? PageAccess.Execute : 0) | (user ? PageAccess.User : 0)
            | (smapOverride ? PageAccess.SmapOverride : 0);
        ulong linear = Linear(random, structure);

        ReferenceWalk.Answer expected = reference.Translate(linear, write, execute, user, smapOverride);
        PageWalkResult probe = bench.Probe(linear, access);
        PageWalkResult walk = bench.Walk(linear, access);
        if (expected.ErrorCode is uint code)
        {
            walk.Outcome.Should().Be(PageWalkOutcome.PageFault);
            ((uint)walk.ErrorCode).Should().Be(code, "{0:X} {1} cr4 {2}", linear, access, bench.Mode.Smep);
            probe.Should().Be(walk);
            return;
        }

        walk.Outcome.Should().Be(PageWalkOutcome.Translated);
        walk.PhysicalAddress.Should().Be(expected.Physical);
        walk.PageSizeLog2.Should().Be((byte)expected.SizeLog2);
        probe.PhysicalAddress.Should().Be(expected.Physical);
        (walk.Dirty || !write).Should().BeTrue();

        // The rights must agree with the reference for every other access under the same override.
        foreach (bool otherUser in new[] { false, true })
        {
            for (int kind = 0; kind < 3; kind++)
            {
                PageAccess other = kind switch { 1 => PageAccess.Write, 2 => PageAccess.Execute, _ => PageAccess.Read };
                other |= otherUser ? PageAccess.User : 0;
                bool allowed = reference.Translate(linear, kind == 1, kind == 2, otherUser, smapOverride).ErrorCode is null;
                walk.Rights.Allows(other).Should().Be(allowed, "{0} from rights {1}", other, walk.Rights);
            }
        }
    }

    private static ulong Some(Random random, ulong bit) => random.Next(2) == 0 ? bit : 0;

    // Few indices, so that walks meet entries that exist.
    private static ulong Linear(Random random, int structure)
    {
        ulong linear = (ulong)random.Next(0x1000);
        if (structure == 0)
            return linear | ((ulong)random.Next(4) << 12) | ((ulong)random.Next(4) << 22);
        int top = structure switch { 1 => 3, 2 => 4, _ => 5 };
        for (int level = 0; level < top; level++)
            linear |= (ulong)random.Next(4) << (12 + (9 * level));
        return linear;
    }

    private static void Fill(Random random, WalkBench bench, int structure)
    {
        for (ulong page = 1; page <= 4; page++)
        {
            for (ulong i = 0; i < 4; i++)
            {
                if (structure == 0)
                    bench.Memory.Write32((page << 12) + (i * 4), (uint)Entry(random, false));
                else
                    bench.Memory[(page << 12) + (i * 8)] = structure == 1 && page == 1 ? Pointer(random) : Entry(random, true);
            }
        }
    }

    private static ulong Pointer(Random random) =>
        ((ulong)random.Next(1, 5) << 12) | (random.Next(10) == 0 ? 0UL : 1) | (random.Next(60) == 0 ? 1UL << random.Next(64) : 0);

    private static ulong Entry(Random random, bool wide)
    {
        ulong entry = (ulong)random.Next(1, 5) << 12;
        entry |= random.Next(12) == 0 ? 0UL : 1;
        entry |= (random.Next(4) == 0 ? 0UL : 2) | (random.Next(4) == 0 ? 0UL : 4);
        entry |= random.Next(4) == 0 ? (ulong)random.Next(8) << 9 : 0;
        entry |= Some(random, 0x20) | Some(random, 0x40) | (random.Next(5) == 0 ? 0x100UL : 0);
        if (random.Next(4) == 0)
        {
            entry = (entry & 0xFFF) | 0x80 | ((ulong)random.Next(4) << 30);
            entry |= random.Next(4) == 0 ? 1UL << random.Next(12, 32) : 0;
        }

        if (random.Next(8) == 0)
            entry |= 1UL << random.Next(12, wide ? 64 : 32);
        if (wide && random.Next(6) == 0)
            entry |= 1UL << 63;
        return entry;
    }
}
