using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>The model-specific registers that the core keeps, and their #GP rules (SDM Vol. 4).</summary>
public sealed unsafe class MsrTests
{
    [Theory]
    [InlineData(MsrNumber.Lstar, 0x8000_0000_0000UL, "not canonical")]
    [InlineData(MsrNumber.Cstar, 0x8000_0000_0000UL, "not canonical")]
    [InlineData(MsrNumber.FsBase, 0xFFFF_7FFF_FFFF_FFFFUL, "not canonical")]
    [InlineData(MsrNumber.GsBase, 0x8000_0000_0000UL, "not canonical")]
    [InlineData(MsrNumber.KernelGsBase, 0x8000_0000_0000UL, "not canonical")]
    [InlineData(MsrNumber.SysenterEip, 0x8000_0000_0000UL, "not canonical")]
    [InlineData(MsrNumber.SysenterEsp, 0x8000_0000_0000UL, "not canonical")]
    [InlineData(MsrNumber.Efer, 0x1000UL, "SVME is not there")]
    [InlineData(MsrNumber.Efer, 2UL, "reserved")]
    [InlineData(MsrNumber.Pat, 0x02UL, "type 2")]
    [InlineData(MsrNumber.Pat, 0x0800_0000_0000_0000UL, "type 8")]
    [InlineData(MsrNumber.MtrrDefaultType, 0x1000UL, "reserved bit 12")]
    [InlineData(MsrNumber.MtrrDefaultType, 7UL, "type 7")]
    [InlineData(MsrNumber.MtrrVariableFirst, 0x2UL, "type 2")]
    [InlineData(MsrNumber.MtrrVariableFirst, 1UL << 40, "beyond the address width")]
    [InlineData(MsrNumber.MtrrVariableFirst + 1, 0x400UL, "reserved bit 10")]
    [InlineData(MsrNumber.MtrrFixed64K, 0x07UL, "type 7")]
    [InlineData(MsrNumber.MtrrCapability, 0UL, "read-only")]
    [InlineData(MsrNumber.PlatformId, 0UL, "read-only")]
    [InlineData(MsrNumber.SyscallMask, 1UL << 32, "reserved")]
    [InlineData(MsrNumber.TscAux, 1UL << 32, "reserved")]
    [InlineData(MsrNumber.ApicBase, 0xFEE0_0001UL, "reserved bit 0")]
    [InlineData(MsrNumber.ApicBase, 0xFEE0_0400UL, "x2APIC without EN")]
    [InlineData(MsrNumber.ApicBase, 0x100_FEE0_0800UL, "beyond the address width")]
    public void Wrmsr_of_an_invalid_value_faults_and_changes_nothing(uint msr, ulong value, string why)
    {
        using TestProcessor cpu = new(Models.With(CpuFeature.X2Apic, CpuFeature.Rdtscp));
        VcpuState* s = cpu.S;
        Outcome before = cpu.ReadMsr(msr, out ulong old);
        before.Should().Be(Outcome.Next);

        s->General[1] = msr;
        s->General[0] = (uint)value;
        s->General[2] = value >> 32;
        cpu.Run(0x0F, 0x30).Should().Be(Outcome.Fault, why);

        cpu.Fault.Should().Be("13(0)");
        cpu.ReadMsr(msr, out ulong now);
        now.Should().Be(old);
    }

    [Theory]
    [InlineData(MsrNumber.Star, 0x1234_5678_9ABC_DEF0UL)]
    [InlineData(MsrNumber.Lstar, 0xFFFF_8000_0000_0000UL)]
    [InlineData(MsrNumber.KernelGsBase, 0x7FFF_FFFF_FFFFUL)]
    [InlineData(MsrNumber.FsBase, 0xFFFF_FFFF_FFFF_FFFFUL)]
    [InlineData(MsrNumber.Efer, 0xD00UL & ~0x400UL)]
    [InlineData(MsrNumber.Pat, 0x0007_0106_0504_0100UL)]
    [InlineData(MsrNumber.MtrrDefaultType, 0xC06UL)]
    [InlineData(MsrNumber.MtrrVariableFirst + 14, 0xC000_0006UL)]
    [InlineData(MsrNumber.MtrrVariableFirst + 15, 0xFF_C000_0800UL)]
    [InlineData(MsrNumber.MtrrFixed16KHigh, 0x0606_0606_0000_0000UL)]
    [InlineData(MsrNumber.MtrrFixed4KLast, 0x0505_0505_0505_0505UL)]
    [InlineData(MsrNumber.TscAux, 0xFFFF_FFFFUL)]
    [InlineData(MsrNumber.SysenterCs, 0x10UL)]
    [InlineData(MsrNumber.TscAdjust, 0x55UL)]
    public void Wrmsr_of_a_valid_value_reads_back(uint msr, ulong value)
    {
        using TestProcessor cpu = new(Models.With(CpuFeature.Rdtscp, CpuFeature.TscAdjust));
        VcpuState* s = cpu.S;
        s->General[1] = msr;
        s->General[0] = (uint)value;
        s->General[2] = value >> 32;
        cpu.Run(0x0F, 0x30).Should().NotBe(Outcome.Fault);
        s->General[0] = s->General[2] = ulong.MaxValue;
        cpu.Run(0x0F, 0x32).Should().Be(Outcome.Next);
        (s->General[0] | (s->General[2] << 32)).Should().Be(value);
        s->General[0].Should().BeLessThanOrEqualTo(uint.MaxValue);
    }

    [Fact]
    public void Unknown_register_goes_outside_and_a_refusal_is_a_fault()
    {
        using TestProcessor cpu = new();
        cpu.S->General[1] = 0x1234;
        cpu.Run(0x0F, 0x32).Should().Be(Outcome.Exit);
        cpu.Request.Kind.Should().Be(ExternalRequestKind.MsrRead);
        cpu.Request.Address.Should().Be(0x1234);
        cpu.Answer(0x1_0000_0002);
        cpu.Run(0x0F, 0x32).Should().Be(Outcome.Next);
        cpu.S->General[0].Should().Be(2);
        cpu.S->General[2].Should().Be(1);

        cpu.Run(0x0F, 0x30).Should().Be(Outcome.Exit);
        cpu.Answer(refused: true);
        cpu.Run(0x0F, 0x30).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
    }

    [Fact]
    public void Time_stamp_counter_and_its_adjustment_move_together()
    {
        using TestProcessor cpu = new(Models.With(CpuFeature.TscAdjust));
        cpu.WriteMsr(MsrNumber.TimeStampCounter, 5000);
        cpu.ReadTimeStampCounter().Should().Be(5000);
        cpu.ReadMsr(MsrNumber.TscAdjust, out ulong adjust);
        adjust.Should().Be(4000);
        cpu.WriteMsr(MsrNumber.TscAdjust, 0);
        cpu.ReadTimeStampCounter().Should().Be(1000);
    }

    [Fact]
    public void Rdtsc_obeys_tsd_outside_ring_0_only()
    {
        using TestProcessor cpu = Scene.Protected();
        cpu.S->Cr4 |= Cr4Bits.TimeStampDisable;
        cpu.Run(0x0F, 0x31).Should().Be(Outcome.Next);
        cpu.S->General[0].Should().Be(1000);
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8000, Scene.Stack3);
        cpu.Run(0x0F, 0x31).Should().Be(Outcome.Fault);
    }

    [Fact]
    public void X2apic_mode_is_left_only_to_disabled()
    {
        using TestProcessor cpu = new(Models.With(CpuFeature.X2Apic));
        cpu.WriteMsr(MsrNumber.ApicBase, 0xFEE0_0C00).Should().Be(Outcome.Fault, "not from disabled");
        cpu.WriteMsr(MsrNumber.ApicBase, 0xFEE0_0800).Should().Be(Outcome.NextBlock);
        cpu.WriteMsr(MsrNumber.ApicBase, 0xFEE0_0C00).Should().Be(Outcome.NextBlock);
        cpu.WriteMsr(MsrNumber.ApicBase, 0xFEE0_0800).Should().Be(Outcome.Fault, "not back to xAPIC");
        cpu.WriteMsr(MsrNumber.ApicBase, 0xFEE0_0000).Should().Be(Outcome.NextBlock);
    }
}
