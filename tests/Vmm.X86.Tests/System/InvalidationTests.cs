using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

public sealed unsafe class InvalidationTests
{
    [Fact]
    public void Invlpg_of_a_large_page_forgets_all_of_its_pieces()
    {
        using TestProcessor cpu = Scene.Long();
        cpu.Poke64(0x20_5000, 2);
        cpu.Read(0x5000, out ulong before).Should().BeTrue();
        cpu.Read(0x7000, out before).Should().BeTrue();
        cpu.Poke64(Scene.PageTables + 0x2000, 0x20_0087); // the page moves by 2 MiB
        cpu.Read(0x5000, out ulong stale).Should().BeTrue();
        stale.Should().Be(0, "the old translation is cached");

        cpu.S->General[0] = 0x7000;
        cpu.Run(0x0F, 0x01, 0x38).Should().Be(Outcome.NextBlock); // invlpg [rax]

        cpu.Read(0x5000, out ulong value).Should().BeTrue();
        value.Should().Be(2);
    }

    [Fact]
    public void Invlpg_of_a_small_page_forgets_that_page_and_keeps_others()
    {
        using TestProcessor cpu = Scene.Long();
        // 2 MiB to 4 MiB in 4 KiB pages; a table of their own.
        cpu.Poke64(Scene.PageTables + 0x2008, 0x1_8007);
        for (int i = 0; i < 8; i++)
            cpu.Poke64(0x1_8000 + (8UL * (ulong)i), 0x2_0007 + (0x1000UL * (ulong)i));
        cpu.Read(0x20_1000, out ulong value);
        cpu.Read(0x20_2000, out value);
        cpu.Poke64(0x1_8008, 0x3_0007, 0x3_1007);
        cpu.Poke64(0x3_0000, 7);
        cpu.Poke64(0x3_1000, 8);

        cpu.S->General[0] = 0x20_1FFF;
        cpu.Run(0x0F, 0x01, 0x38).Should().Be(Outcome.NextBlock);

        cpu.Read(0x20_1000, out value);
        value.Should().Be(7);
        cpu.Read(0x20_2000, out value);
        value.Should().Be(0, "a processor may keep it, and this one does");
    }

    [Fact]
    public void Invpcid_checks_its_type_and_descriptor()
    {
        using TestProcessor cpu = Scene.Long(Models.With(CpuFeature.Invpcid, CpuFeature.Pcid));
        VcpuState* s = cpu.S;
        s->General[0] = 0x6000;
        s->General[1] = 4;
        cpu.Run(0x66, 0x0F, 0x38, 0x82, 0x08).Should().Be(Outcome.Fault, "type 4"); // invpcid rcx, [rax]
        s->General[1] = 1;
        cpu.Poke64(0x6000, 1);
        cpu.Run(0x66, 0x0F, 0x38, 0x82, 0x08).Should().Be(Outcome.Fault, "a PCID without CR4.PCIDE");
        s->Cr4 |= Cr4Bits.Pcid;
        cpu.Run(0x66, 0x0F, 0x38, 0x82, 0x08).Should().Be(Outcome.NextBlock);
        cpu.Poke64(0x6000, 0x1001);
        cpu.Run(0x66, 0x0F, 0x38, 0x82, 0x08).Should().Be(Outcome.Fault, "reserved bits");
        s->General[1] = 0;
        cpu.Poke64(0x6000, 1, 0x8000_0000_0000);
        cpu.Run(0x66, 0x0F, 0x38, 0x82, 0x08).Should().Be(Outcome.Fault, "the address is not canonical");
        s->General[1] = 2;
        cpu.Run(0x66, 0x0F, 0x38, 0x82, 0x08).Should().Be(Outcome.NextBlock);
    }
}
