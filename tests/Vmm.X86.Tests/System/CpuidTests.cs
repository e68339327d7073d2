using Iced.Intel;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

public sealed unsafe class CpuidTests
{
    private static readonly CpuidDynamics s_plain = new(5, true, 0, 1, 0);

    [Fact]
    public void Dynamic_parts_follow_the_processor()
    {
        CpuidModel model = Models.With(CpuFeature.Xsave, CpuFeature.Avx, CpuFeature.X2Apic);
        CpuidAnswer one = model.Query(1, 0, s_plain);
        (one.Ebx >> 24).Should().Be(5);
        (one.Ecx & (1U << 27)).Should().Be(0);
        (model.Query(1, 0, s_plain with { Cr4 = Cr4Bits.OsXsave }).Ecx & (1U << 27)).Should().NotBe(0);
        (one.Edx & (1U << 9)).Should().NotBe(0);
        (model.Query(1, 0, s_plain with { ApicEnabled = false }).Edx & (1U << 9)).Should().Be(0);
        model.Query(0xB, 1, s_plain).Should().Be(new CpuidAnswer(1, 2, 0x201, 5));
        model.Query(0xB, 7, s_plain).Should().Be(new CpuidAnswer(0, 0, 7, 5));
        model.Query(0xD, 0, s_plain).Ebx.Should().Be(576);
        model.Query(0xD, 0, s_plain with { Xcr0 = 7 }).Ebx.Should().Be(832);
        model.Query(0xD, 3, s_plain).Should().Be(default(CpuidAnswer));
    }

    [Fact]
    public void Leaf_past_the_last_answers_as_the_vendor_does()
    {
        CpuidModel intel = Models.With(CpuFeature.Sse2);
        intel.Query(0x50, 0, s_plain).Should().Be(intel.Query(0xD, 0, s_plain));
        intel.Query(0x8000_0099, 0, s_plain).Should().Be(intel.Query(0xD, 0, s_plain));
        CpuidModel amd = new([new CpuidRow(0, null, 1, 0x6874_7541, 0x444D_4163, 0x6974_6E65), new CpuidRow(1, null, 1, 2, 3, 4)]);
        amd.Query(0x50, 0, s_plain).Should().Be(default(CpuidAnswer));
    }

    [Fact]
    public void Leaf_listed_with_and_without_subleaf_is_refused()
    {
        Action make = () => _ = new CpuidModel([new CpuidRow(4, null, 0, 0, 0, 0), new CpuidRow(4, 1, 0, 0, 0, 0)]);
        make.Should().Throw<ArgumentException>().WithMessage("*0x4*");
    }

    [Fact]
    public void Hidden_features_hide_instructions_and_control_bits()
    {
        CpuidModel plain = CpuidModel.Baseline, rich = Models.With(CpuFeature.Bmi2, CpuFeature.Rdtscp, CpuFeature.Smap,
            CpuFeature.FsGsBase, CpuFeature.Pcid);
        foreach (Code code in (Code[])[Code.VEX_Shlx_r64_rm64_r64, Code.Rdtscp, Code.Stac, Code.Rdfsbase_r64])
        {
            plain.IsAvailable(code).Should().BeFalse(code.ToString());
            rich.IsAvailable(code).Should().BeTrue(code.ToString());
        }
        plain.IsAvailable(Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er).Should().BeFalse();
        plain.IsAvailable(Code.Endbr64).Should().BeTrue("it is a hint without the feature");
        plain.IsAvailable(Code.Mov_r64_rm64).Should().BeTrue();
        (plain.Cr4Allowed & (Cr4Bits.Smap | Cr4Bits.FsGsBase | Cr4Bits.Pcid)).Should().Be(0);
        (rich.Cr4Allowed & (Cr4Bits.Smap | Cr4Bits.FsGsBase | Cr4Bits.Pcid)).Should().Be(Cr4Bits.Smap | Cr4Bits.FsGsBase | Cr4Bits.Pcid);
        (plain.DecoderOptions & DecoderOptions.NoMPFX_0FBC).Should().NotBe(0, "TZCNT is BSF there");
    }

    [Fact]
    public void Cpuid_instruction_clears_the_upper_halves()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        for (int i = 0; i < 4; i++)
            s->General[i] = 0xFFFF_FFFF_0000_0000;
        cpu.Run(0x0F, 0xA2).Should().Be(Outcome.NextBlock);
        s->General[3].Should().Be(0x756E_6547);
        s->General[0].Should().Be(1);
    }
}
