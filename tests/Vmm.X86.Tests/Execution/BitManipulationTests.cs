using Vmm.X86.Execution;
using Vmm.X86.Tests.Privileged;

namespace Vmm.X86.Tests.Execution;

/// <summary>
/// What the host cannot be asked about BMI1, BMI2 and LZCNT: where they do not exist (SDM Vol. 2A 2.6, table 2-29; Vol. 2).
/// </summary>
public sealed unsafe class BitManipulationTests
{
    private static readonly CpuidModel s_model = Models.With(CpuFeature.Bmi1, CpuFeature.Bmi2, CpuFeature.LeadingZeroCount);

    [Fact]
    public void Instruction_is_undefined_in_real_mode()
    {
        using TestProcessor cpu = new(s_model);
        cpu.Segment(SegmentIndex.Cs) = new SegmentRegister { Limit = 0xFFFF, Attributes = 0x9B };
        cpu.S->Rip = 0x1000;
        cpu.UpdateMode();
        cpu.Step(0xC4, 0xE2, 0x70, 0xF2, 0xC2).Should().Be(RunResult.Fault); // andn eax, ecx, edx
        cpu.Fault.Should().Be("6");
    }

    [Fact]
    public void Instruction_is_undefined_in_virtual_8086_mode()
    {
        using TestProcessor cpu = Scene.Protected(s_model);
        cpu.S->FlagsSystem |= LazyFlags.Vm;
        cpu.S->Cpl = 3;
        for (int i = 0; i < 6; i++)
            cpu.Segment(i) = new SegmentRegister { Limit = 0xFFFF, Attributes = 0xF3 };
        cpu.UpdateMode();
        cpu.Step(0xC4, 0xE2, 0x70, 0xF2, 0xC2).Should().Be(RunResult.Fault);
        cpu.Fault.Should().Be("6");
    }

    [Theory]
    [InlineData("C4E270F2C2")] // andn eax, ecx, edx
    [InlineData("C4E278F7C1")] // bextr eax, ecx, eax
    [InlineData("C4E278F3D9")] // blsi eax, ecx
    [InlineData("C4E37BF0C11F")] // rorx eax, ecx, 31
    [InlineData("C4E273F5C2")] // pdep eax, ecx, edx
    [InlineData("C4E2F8F3D9")] // blsi eax, ecx with VEX.W, which only 64-bit mode looks at
    public void Instruction_runs_in_protected_mode_without_any_enabling_of_vector_state(string code)
    {
        using TestProcessor cpu = Scene.Protected(s_model);
        cpu.S->Cr0 |= Cr0Bits.TaskSwitched;
        cpu.UpdateMode();
        cpu.Step(Convert.FromHexString(code)).Should().Be(RunResult.Done);
    }

    [Theory]
    [InlineData("C4E274F2C2", "VEX.L is 1")]
    [InlineData("66C4E270F2C2", "an operand-size prefix before VEX")]
    [InlineData("F3C4E270F2C2", "a repeat prefix before VEX")]
    [InlineData("48C4E270F2C2", "a REX prefix before VEX")]
    [InlineData("F0C4E270F210", "a LOCK prefix")]
    [InlineData("C4E37BF0C11F01", null)]
    [InlineData("C4E373F0C11F", "VEX.vvvv names a register that rorx does not have")]
    public void Encoding_is_undefined_where_the_manual_says_so(string code, string? why)
    {
        using TestProcessor cpu = Scene.Long(s_model);
        cpu.Step(Convert.FromHexString(code)).Should().Be(why == null ? RunResult.Done : RunResult.Fault, why ?? "nothing is wrong");
        if (why != null)
            cpu.Fault.Should().Be("6");
    }

    [Fact]
    public void Instruction_is_undefined_where_cpuid_lacks_it()
    {
        using TestProcessor cpu = Scene.Long(Models.With(CpuFeature.Bmi1));
        cpu.Step(0xC4, 0xE2, 0x73, 0xF5, 0xC2).Should().Be(RunResult.Fault); // pdep
        cpu.Fault.Should().Be("6");
        cpu.Step(0xC4, 0xE2, 0x70, 0xF2, 0xC2).Should().Be(RunResult.Done); // andn
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 31)]
    public void Count_without_its_feature_is_the_scan_of_the_same_opcode(bool present, ulong leading)
    {
        using TestProcessor cpu = Scene.Long(present ? s_model : CpuidModel.Baseline);
        cpu.S->General[1] = 0x8000_0000;
        cpu.S->General[0] = 0xAAAA;
        cpu.Step(0xF3, 0x0F, 0xBC, 0xC1).Should().Be(RunResult.Done); // tzcnt eax, ecx or bsf
        cpu.S->General[0].Should().Be(31, "one bit: both find it");
        cpu.Step(0xF3, 0x0F, 0xBD, 0xC1).Should().Be(RunResult.Done); // lzcnt eax, ecx or bsr
        cpu.S->General[0].Should().Be(leading);
        cpu.S->General[1] = 0;
        cpu.S->General[0] = 0x5555;
        cpu.Step(0xF3, 0x0F, 0xBC, 0xC1).Should().Be(RunResult.Done);
        cpu.S->General[0].Should().Be(present ? 32UL : 0x5555, "a scan of nothing leaves the destination");
        (LazyFlags.Get(cpu.S) & (present ? LazyFlags.Cf : LazyFlags.Zf)).Should().NotBe(0);
    }

    [Fact]
    public void Product_of_one_destination_is_its_high_half()
    {
        using TestProcessor cpu = Scene.Long(s_model);
        cpu.S->General[2] = 0x8000_0000_0000_0001;
        cpu.S->General[1] = 6;
        cpu.Step(0xC4, 0xE2, 0xFB, 0xF6, 0xC1).Should().Be(RunResult.Done); // mulx rax, rax, rcx
        cpu.S->General[0].Should().Be(3);
    }
}
