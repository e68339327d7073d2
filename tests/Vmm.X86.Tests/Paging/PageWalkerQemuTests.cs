using System.Runtime.InteropServices;
using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>Random 4-level entries, control bits and accesses, each made by a guest in QEMU: error codes and A/D flags agree.</summary>
public sealed class PageWalkerQemuTests
{
    private const int CaseCount = 6_000;
    private const ulong Linear = (0xF5UL << 39) | (0xF3UL << 30) | (3UL << 21) | (0x112UL << 12) | 0x345;

    // Addresses of the four entries, root first; WalkOracle.asm has the same numbers.
    private static readonly ulong[] EntryAddresses =
        [0x20_0000 + (0xF5 * 8), 0x21_0000 + (0xF3 * 8), 0x21_1000 + (3 * 8), 0x21_2000 + (0x112 * 8)];

    [StructLayout(LayoutKind.Sequential)]
    private struct Case
    {
        public ulong Pml4e;
        public ulong Pdpte;
        public ulong Pde;
        public ulong Pte;
        public ulong Flags;

        public readonly ulong[] Entries => [Pml4e, Pdpte, Pde, Pte];

        public readonly bool Has(int bit) => ((Flags >> bit) & 1) != 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Answer
    {
        public ulong Code;
        public ulong Pml4e;
        public ulong Pdpte;
        public ulong Pde;
        public ulong Pte;

        public readonly ulong[] Entries => [Pml4e, Pdpte, Pde, Pte];
    }

    [SkippableFact]
    public void Random_accesses_fault_and_set_flags_as_in_qemu()
    {
        Random random = new(20_240);
        Case[] cases = [.. Enumerable.Range(0, CaseCount).Select(_ => Generate(random))];
        Answer[] answers = Ask(cases);

        int granted = 0;
        HashSet<uint> codes = [];
        for (int i = 0; i < cases.Length; i++)
        {
            uint code = (uint)answers[i].Code;

            // QEMU leaves P clear where it sets RSVD; SDM Vol. 3A 4.7 says that RSVD is set only together with P.
            if (code != uint.MaxValue && (code & 8) != 0)
                code |= 1;
            Compare(cases[i], answers[i], code);
            if (code == uint.MaxValue)
                granted++;
            else
                codes.Add(code);
        }

        granted.Should().BeInRange(CaseCount / 10, CaseCount * 9 / 10, "both outcomes are exercised");
        codes.Should().HaveCountGreaterThan(15, "nearly every error code occurs");
    }

    private static void Compare(in Case input, in Answer answer, uint code)
    {
        WalkBench bench = new() { Features = new PagingFeatures(40, true, true) };
        for (int i = 0; i < 4; i++)
            bench.Memory[EntryAddresses[i]] = input.Entries[i];
        bench.FourLevel(
            0x20_0000,
            input.Has(4) ? WalkBench.Wp : 0,
            (input.Has(6) ? WalkBench.Smep : 0) | (input.Has(7) ? WalkBench.Smap : 0),
            input.Has(5) ? WalkBench.Nxe : 0);
        PageAccess access = (input.Has(0) ? PageAccess.Write : 0) | (input.Has(1) ? PageAccess.Execute : 0);
        access |= input.Has(2) ? PageAccess.User : 0;
        if (input.Has(3) && !input.Has(2))
            access |= PageAccess.SmapOverride;

        string what = $"{string.Join(' ', input.Entries.Select(entry => entry.ToString("X")))} flags {input.Flags:X}";
        PageWalkResult result = bench.Walk(Linear, access);
        if (code != uint.MaxValue)
        {
            result.Outcome.Should().Be(PageWalkOutcome.PageFault, what);
            ((uint)result.ErrorCode).Should().Be(code, what);
            return;
        }

        result.Outcome.Should().Be(PageWalkOutcome.Translated, what);
        EntryAddresses.Select(address => bench.Memory[address]).Should().Equal(answer.Entries, what);
    }

    private static Answer[] Ask(Case[] cases)
    {
        string folder = Directory.CreateTempSubdirectory("vmm-walk-").FullName;
        try
        {
            string image = Path.Combine(folder, "walk.bin");
            string input = Path.Combine(folder, "cases.bin");
            string output = Path.Combine(folder, "answers.bin");
            string source = Path.Combine(AppContext.BaseDirectory, "Paging", "WalkOracle.asm");
            OutsideTool.Run("nasm", "nasm", null, "nasm", "-f", "bin", "-o", image, source);
            File.WriteAllBytes(input, MemoryMarshal.AsBytes(cases.AsSpan()).ToArray());
            (int status, string said) = OutsideTool.Try(
                "qemu", "qemu-system-x86", null, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "64",
                "-display", "none", "-no-reboot", "-nodefaults", "-kernel", image, "-initrd", input, "-debugcon", $"file:{output}",
                "-device", "isa-debug-exit,iobase=0xf4");
            status.Should().Be(0x21, "the guest says so when all cases are done; {0}", said);
            Answer[] answers = MemoryMarshal.Cast<byte, Answer>(File.ReadAllBytes(output)).ToArray();
            answers.Should().HaveCount(cases.Length);
            return answers;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static Case Generate(Random random)
    {
        ulong flags = (ulong)random.Next(256) & ~3UL;
        flags |= random.Next(3) switch { 0 => 0UL, 1 => 1, _ => 2 };
        ulong pdpte = random.Next(5) == 0 ? Large(random, 0, 29) : 0x21_1000 | Flags(random);
        ulong pde = random.Next(3) == 0 ? Large(random, 0x40_0000, 20) : 0x21_2000 | Flags(random);
        ulong root = 0x21_0000 | Flags(random) | (random.Next(30) == 0 ? 0x80UL : 0);
        ulong pte = 0x40_0000 | Flags(random) | ((ulong)random.Next(2) << 7);
        return new Case { Pml4e = root, Pdpte = pdpte, Pde = pde, Pte = pte, Flags = flags };
    }

    // Bits of a large page's address below its size are reserved, apart from the PAT bit.
    private static ulong Large(Random random, ulong address, int highestReserved)
    {
        ulong entry = address | 0x80 | Flags(random) | ((ulong)random.Next(2) << 12);
        return random.Next(20) == 0 ? entry | (1UL << random.Next(13, highestReserved + 1)) : entry;
    }

    private static ulong Flags(Random random)
    {
        ulong entry = (ulong)random.Next(64) << 3 & 0x178;
        entry |= random.Next(25) == 0 ? 0UL : 1;
        entry |= random.Next(5) == 0 ? 0UL : 2;
        entry |= random.Next(3) == 0 ? 0UL : 4;
        entry |= (ulong)random.Next(8) << 9;
        if (random.Next(8) == 0)
            entry |= 1UL << 63;
        if (random.Next(20) == 0)
            entry |= 1UL << random.Next(40, 52);
        if (random.Next(4) == 0)
            entry |= (ulong)random.Next(1 << 11) << 52;
        return entry;
    }
}
