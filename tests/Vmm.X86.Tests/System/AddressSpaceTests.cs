using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>
/// Which cached translations a change of address space leaves, and which it must not (SDM Vol. 3A 4.10.2.4, 4.10.4.1): a page's entry is
/// rewritten without INVLPG, so that a read tells whether the old translation was used.
/// </summary>
public sealed unsafe class AddressSpaceTests
{
    private const ulong Table = 0x1_8000, Page = 0x20_1000, Old = 0x3_0000, New = 0x3_1000;
    private static readonly byte[] s_invpcid = [0x66, 0x0F, 0x38, 0x82, 0x08]; // invpcid rcx, [rax]

    [Fact]
    public void Load_of_cr3_forgets_translations_that_are_not_global()
    {
        using TestProcessor cpu = Machine(false, Cr4Bits.PageGlobal);
        LoadCr3(cpu, Scene.PageTables);
        Reads(cpu).Should().Be(New);
    }

    [Fact]
    public void Load_of_cr3_keeps_global_translations()
    {
        using TestProcessor cpu = Machine(true, Cr4Bits.PageGlobal);
        LoadCr3(cpu, Scene.PageTables);
        Reads(cpu).Should().Be(Old);
        // Also after the first level had to give the page up to another one.
        cpu.Read(Page + 0x40_0000, out ulong _);
        LoadCr3(cpu, Scene.PageTables);
        Reads(cpu).Should().Be(Old);
    }

    [Fact]
    public void Global_flag_means_nothing_without_cr4_pge()
    {
        using TestProcessor cpu = Machine(true, 0);
        LoadCr3(cpu, Scene.PageTables);
        Reads(cpu).Should().Be(New);
    }

    [Theory]
    [InlineData(Cr4Bits.PageGlobal)]
    [InlineData(Cr4Bits.Smep)]
    [InlineData(Cr4Bits.Pcid)]
    public void Change_of_cr4_forgets_global_translations_too(ulong bit)
    {
        using TestProcessor cpu = Machine(true, Cr4Bits.PageGlobal);
        cpu.WriteCr4(cpu.S->Cr4 ^ bit).Should().Be(Outcome.NextBlock);
        Reads(cpu).Should().Be(New);
    }

    [Fact]
    public void Invlpg_forgets_a_global_translation()
    {
        using TestProcessor cpu = Machine(true, Cr4Bits.PageGlobal);
        cpu.S->General[0] = Page + 5;
        cpu.Run(0x0F, 0x01, 0x38).Should().Be(Outcome.NextBlock); // invlpg [rax]
        Reads(cpu).Should().Be(New);
    }

    [Fact]
    public void Pcid_keeps_its_translations_when_bit_63_asks_for_it()
    {
        using TestProcessor cpu = Machine(false, Cr4Bits.Pcid);
        LoadCr3(cpu, Scene.PageTables | 1);
        Reads(cpu).Should().Be(New, "PCID 1 has none yet");
        cpu.Poke64(Table + 8, Old | 7);
        LoadCr3(cpu, Scene.PageTables | (1UL << 63));
        Reads(cpu).Should().Be(Old, "PCID 0's translation is that of the beginning, which happens to be the same now");
        cpu.Poke64(Table + 8, New | 7);
        LoadCr3(cpu, Scene.PageTables | 1 | (1UL << 63));
        Reads(cpu).Should().Be(New);
        LoadCr3(cpu, Scene.PageTables | (1UL << 63));
        Reads(cpu).Should().Be(Old, "kept although the entry has changed since");
        cpu.S->Cr3.Should().Be(Scene.PageTables, "bit 63 is not stored");
        LoadCr3(cpu, Scene.PageTables);
        Reads(cpu).Should().Be(New);
    }

    [Fact]
    public void Bit_63_is_reserved_without_pcide()
    {
        using TestProcessor cpu = Machine(false, 0);
        cpu.WriteCr3(Scene.PageTables | (1UL << 63)).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
    }

    [Fact]
    public void Pcide_needs_long_mode_and_pcid_zero()
    {
        using TestProcessor cpu = Machine(false, 0);
        LoadCr3(cpu, Scene.PageTables | 8); // PWT, a PCID as soon as PCIDE is set
        cpu.WriteCr4(cpu.S->Cr4 | Cr4Bits.Pcid).Should().Be(Outcome.Fault);
        using TestProcessor legacy = Scene.Protected(Model());
        legacy.WriteCr4(legacy.S->Cr4 | Cr4Bits.Pcid).Should().Be(Outcome.Fault);
        LoadCr3(cpu, Scene.PageTables);
        cpu.WriteCr4(cpu.S->Cr4 | Cr4Bits.Pcid).Should().Be(Outcome.NextBlock);
        cpu.WriteCr0(cpu.S->Cr0 & ~Cr0Bits.Paging).Should().Be(Outcome.Fault, "paging cannot be left with PCIDE set (SDM Vol. 3A 4.10.1)");
    }

    [Theory]
    [InlineData(0, 0, Page, true, false)]
    [InlineData(0, 0, Page + 0x1000, false, false)]
    [InlineData(0, 1, Page, false, true)]
    [InlineData(1, 0, 0UL, true, false)]
    [InlineData(1, 1, 0UL, false, true)]
    [InlineData(2, 0, 0UL, true, true)]
    [InlineData(3, 0, 0UL, true, true)]
    public void Invpcid_forgets_what_its_type_names(int type, ulong pcid, ulong address, bool current, bool other)
    {
        using TestProcessor cpu = Machine(false, Cr4Bits.Pcid);
        cpu.Poke64(Table + 8, Old | 7);
        LoadCr3(cpu, Scene.PageTables | 1);
        Reads(cpu).Should().Be(Old);
        LoadCr3(cpu, Scene.PageTables | (1UL << 63));
        Reads(cpu).Should().Be(Old);
        cpu.Poke64(Table + 8, New | 7);
        cpu.Poke64(0x6000, pcid, address);
        cpu.S->General[0] = 0x6000;
        cpu.S->General[1] = (ulong)type;
        cpu.Run(s_invpcid).Should().Be(Outcome.NextBlock);
        Reads(cpu).Should().Be(current ? New : Old);
        LoadCr3(cpu, Scene.PageTables | 1 | (1UL << 63));
        Reads(cpu).Should().Be(other ? New : Old);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void Invpcid_of_all_contexts_spares_global_translations_by_type_3_only(int type, bool forgotten)
    {
        using TestProcessor cpu = Machine(true, Cr4Bits.Pcid | Cr4Bits.PageGlobal);
        cpu.S->General[0] = 0x6000;
        cpu.S->General[1] = (ulong)type;
        cpu.Run(s_invpcid).Should().Be(Outcome.NextBlock);
        Reads(cpu).Should().Be(forgotten ? New : Old);
    }

    [Fact]
    public void Registers_set_from_outside_leave_no_translation_to_find_by_its_pcid()
    {
        using TestProcessor cpu = Machine(false, Cr4Bits.Pcid);
        cpu.S->Cr3 = Scene.PageTables | 7;
        cpu.UpdateMode();
        cpu.FlushTlb();
        Reads(cpu).Should().Be(New);
        cpu.Poke64(Table + 8, Old | 7);
        LoadCr3(cpu, Scene.PageTables | (1UL << 63));
        Reads(cpu).Should().Be(Old, "what PCID 7 found is not PCID 0's");
    }

    [Fact]
    public void Code_is_found_anew_in_another_address_space_at_any_privilege()
    {
        using TestProcessor cpu = Machine(false, Cr4Bits.PageGlobal);
        cpu.Poke(Old, 0xB8, 1, 0, 0, 0, 0xF4); // mov eax, 1; hlt
        cpu.Poke(New, 0xB8, 2, 0, 0, 0, 0xF4);
        RunsCode(cpu).Should().Be(2);
        cpu.Poke64(Table + 8, Old | 7);
        RunsCode(cpu).Should().Be(2, "nothing has been invalidated");
        LoadCr3(cpu, Scene.PageTables);
        RunsCode(cpu).Should().Be(1);
        cpu.Poke64(Table + 8, New | 7);
        cpu.S->General[0] = Page;
        cpu.Run(0x0F, 0x01, 0x38).Should().Be(Outcome.NextBlock); // invlpg [rax]
        RunsCode(cpu).Should().Be(2);
    }

    // Runs from the page until its HLT; the page's translation for fetching is its own.
    private static ulong RunsCode(TestProcessor cpu)
    {
        cpu.S->Rip = Page;
        cpu.S->Activity = Activity.Running;
        cpu.Execute(100).Should().Be(RunResult.Idle);
        return cpu.S->General[0];
    }

    // A page whose translation is cached, and whose entry has then been pointed elsewhere.
    private static TestProcessor Machine(bool global, ulong cr4)
    {
        TestProcessor cpu = Scene.Long(Model());
        ulong flags = 7UL | (global ? 0x100UL : 0);
        cpu.Poke64(Scene.PageTables + 0x2008, Table | 7);
        cpu.Poke64(Scene.PageTables + 0x2018, 0x60_0087); // another page with the same entry of the first level
        cpu.Poke64(Table + 8, Old | flags);
        cpu.Poke64(Old, Old);
        cpu.Poke64(New, New);
        if (cr4 != 0)
            cpu.WriteCr4(cpu.S->Cr4 | cr4).Should().Be(Outcome.NextBlock);
        LoadCr3(cpu, Scene.PageTables);
        Reads(cpu).Should().Be(Old);
        cpu.Poke64(Table + 8, New | flags);
        Reads(cpu).Should().Be(Old, "the translation is cached");
        return cpu;
    }

    private static CpuidModel Model() => Models.With(CpuFeature.Pcid, CpuFeature.Invpcid, CpuFeature.Smep);

    private static void LoadCr3(TestProcessor cpu, ulong value) => cpu.WriteCr3(value).Should().Be(Outcome.NextBlock);

    private static ulong Reads(TestProcessor cpu)
    {
        cpu.Read(Page, out ulong value).Should().BeTrue();
        return value;
    }
}
