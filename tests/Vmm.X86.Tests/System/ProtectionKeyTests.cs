using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>Protection keys for user-mode pages (SDM Vol. 3A 4.6.2, 4.7; Vol. 2B RDPKRU, WRPKRU).</summary>
public sealed unsafe class ProtectionKeyTests
{
    private const ulong Table = 0x1_8000, Page = 0x20_1000;
    private static readonly byte[] s_read = [0x0F, 0x01, 0xEE], s_write = [0x0F, 0x01, 0xEF];

    // PKRU's bits of key 5: 10 is access disable, 11 write disable. Expected: null or the error code.
    [Theory]
    [InlineData(0x000U, true, true, true, null)]
    [InlineData(0x400U, true, true, false, 0x25U)]
    [InlineData(0x400U, true, true, true, 0x27U)]
    [InlineData(0x400U, false, true, false, 0x21U)]
    [InlineData(0x800U, true, true, false, null)]
    [InlineData(0x800U, true, true, true, 0x27U)]
    [InlineData(0x800U, false, true, true, 0x23U)]
    [InlineData(0x800U, false, false, true, null)] // CR0.WP clear: supervisor writes pass
    [InlineData(0xC00U, false, false, true, 0x23U)]
    [InlineData(0x3FFU, true, true, true, null)] // other keys
    public void Key_decides_over_data_accesses_of_user_mode_pages(uint rights, bool user, bool writeProtect, bool write, uint? code)
    {
        using TestProcessor cpu = Machine(7, writeProtect);
        cpu.S->Pkru = rights;
        cpu.FlushTlb();
        Access(cpu, user, write).Should().Be(code is null);
        if (code is not null)
        {
            cpu.S->Fault.Vector.Should().Be(ExceptionVector.PageFault);
            cpu.S->Fault.ErrorCode.Should().Be(code);
        }
    }

    [Fact]
    public void Key_of_a_supervisor_page_means_nothing()
    {
        using TestProcessor cpu = Machine(3, true);
        cpu.S->Pkru = uint.MaxValue;
        cpu.FlushTlb();
        cpu.Read(Page, out ulong _).Should().BeTrue();
    }

    [Fact]
    public void Key_means_nothing_without_cr4_pke()
    {
        using TestProcessor cpu = Machine(7, true);
        cpu.WriteCr4(cpu.S->Cr4 & ~Cr4Bits.ProtectionKeys).Should().Be(Outcome.NextBlock);
        cpu.S->Pkru = uint.MaxValue;
        cpu.Read(Page, out ulong _).Should().BeTrue();
    }

    [Fact]
    public void Key_does_not_forbid_fetches()
    {
        using TestProcessor cpu = Machine(7, true);
        cpu.S->Pkru = uint.MaxValue;
        cpu.FlushTlb();
        cpu.TranslateFetch(Page, out _).Should().BeTrue();
    }

    [Fact]
    public void Fault_for_another_reason_names_the_key_too_when_it_refuses()
    {
        using TestProcessor cpu = Machine(5, true); // read-only
        cpu.S->Pkru = 0x400;
        cpu.FlushTlb();
        Access(cpu, true, true).Should().BeFalse();
        cpu.S->Fault.ErrorCode.Should().Be(0x27);
        cpu.S->Pkru = 0;
        cpu.FlushTlb();
        Access(cpu, true, true).Should().BeFalse();
        cpu.S->Fault.ErrorCode.Should().Be(7);
    }

    [Fact]
    public void Wrpkru_takes_effect_on_cached_translations_at_once()
    {
        using TestProcessor cpu = Machine(7, true);
        Access(cpu, true, true).Should().BeTrue();
        cpu.S->General[0] = 0x800;
        cpu.S->General[1] = cpu.S->General[2] = 0;
        cpu.Run(s_write).Should().Be(Outcome.NextBlock);
        Access(cpu, true, false).Should().BeTrue();
        Access(cpu, true, true).Should().BeFalse();
        cpu.S->General[0] = 0xFFFF_FFFF_FFFF_FFFF;
        cpu.S->General[2] = 0xFFFF_FFFF_0000_0000;
        cpu.Run(s_read).Should().Be(Outcome.Next);
        cpu.S->General[0].Should().Be(0x800);
        cpu.S->General[2].Should().Be(0);
    }

    [Fact]
    public void Instructions_check_their_registers_and_cr4()
    {
        using TestProcessor cpu = Machine(7, true);
        cpu.S->General[1] = 1;
        cpu.Run(s_read).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
        cpu.S->General[2] = 0;
        cpu.Run(s_write).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
        cpu.S->General[1] = 0;
        cpu.S->General[2] = 1;
        cpu.Run(s_write).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
        cpu.S->Cr4 &= ~Cr4Bits.ProtectionKeys;
        cpu.Run(s_read).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("6");
        cpu.Run(s_write).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("6");
    }

    [Fact]
    public void Xsave_holds_pkru_where_leaf_d_places_it()
    {
        using TestProcessor cpu = Machine(7, true);
        VcpuState* s = cpu.S;
        s->Cr4 |= Cr4Bits.OsXsave;
        s->Xcr0 = 0x203;
        s->Pkru = 0x5500;
        s->General[0] = 0x200;
        s->General[2] = 0;
        s->General[7] = 0x6000;
        cpu.Run(0x48, 0x0F, 0xAE, 0x27).Should().Be(Outcome.Next); // xsave64 [rdi]
        cpu.Peek64(0x6000 + 2688).Should().Be(0x5500);
        cpu.Peek64(0x6000 + 512).Should().Be(0x200);
        s->Pkru = 1;
        cpu.Run(0x48, 0x0F, 0xAE, 0x2F).Should().Be(Outcome.NextBlock); // xrstor64 [rdi]
        s->Pkru.Should().Be(0x5500);
        cpu.Poke64(0x6000 + 512, 0);
        cpu.Run(0x48, 0x0F, 0xAE, 0x2F).Should().Be(Outcome.NextBlock);
        s->Pkru.Should().Be(0, "its initial configuration");
        s->Pkru = 0x77;
        byte[] area = new byte[XsaveArea.SizeFor(cpu.Model)];
        area.Length.Should().Be(2696);
        XsaveArea.Save(s, area, cpu.Model.XsaveOffset(9));
        s->Pkru = 0;
        XsaveArea.Load(s, area, cpu.Model.XsaveOffset(9));
        s->Pkru.Should().Be(0x77);
    }

    [Fact]
    public void Cpuid_shows_ospke_and_state_9()
    {
        using TestProcessor cpu = Machine(7, true);
        (cpu.QueryCpuid(7, 0).Ecx & 0x18).Should().Be(0x18);
        cpu.S->Cr4 &= ~Cr4Bits.ProtectionKeys;
        (cpu.QueryCpuid(7, 0).Ecx & 0x18).Should().Be(8);
        cpu.S->Xcr0 = 0x203;
        cpu.QueryCpuid(0xD, 0).Ebx.Should().Be(2696);
    }

    private static bool Access(TestProcessor cpu, bool user, bool write)
    {
        cpu.S->Cpl = user ? 3U : 0;
        cpu.UpdateMode();
        bool done = write ? cpu.Write(Page, 1UL) : cpu.Read(Page, out ulong _);
        cpu.S->Cpl = 0;
        cpu.UpdateMode();
        return done;
    }

    // One page with key 5.
    private static TestProcessor Machine(ulong flags, bool writeProtect)
    {
        CpuidModel baseline = Models.With(CpuFeature.ProtectionKeys, CpuFeature.Xsave);
        CpuidModel model = new(baseline.Rows.Append(new CpuidRow(0xD, 0, 0x203, 0, 2696, 0)).Append(new CpuidRow(0xD, 9, 8, 2688, 0, 0)));
        TestProcessor cpu = Scene.Long(model);
        cpu.Poke64(Scene.PageTables + 0x2008, Table | 7);
        cpu.Poke64(Table + 8, 0x3_0000 | flags | (5UL << 59));
        if (writeProtect)
            cpu.WriteCr0(cpu.S->Cr0 | Cr0Bits.WriteProtect).Should().Be(Outcome.NextBlock);
        cpu.WriteCr4(cpu.S->Cr4 | Cr4Bits.ProtectionKeys).Should().Be(Outcome.NextBlock);
        return cpu;
    }
}
