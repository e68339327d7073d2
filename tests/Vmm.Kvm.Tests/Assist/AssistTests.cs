using Vmm.Kvm.Probes;

namespace Vmm.Kvm.Tests.Assist;

/// <summary>Instructions that this host's kernel fails at, with the assist and without.</summary>
public sealed class AssistTests
{
    private static readonly LimitProbe s_x87 = ProbeCatalog.All.Single(probe => probe.Name == "x87, 64-bit mode");

    [SkippableFact]
    public void Assisted_instructions_are_counted_and_left_alone_where_the_kernel_runs_them()
    {
        IHypervisor kvm = KvmHost.Create("assist=on");
        kvm.Capabilities.Has(KvmBackend.InstructionAssist).Should().BeTrue();
        using ProbeGuest guest = new(kvm);
        guest.Run(s_x87).Holds.Should().BeTrue();
        // FLD1 twice, FADDP and FISTP, or none of them; FNINIT is the kernel's own everywhere.
        guest.Processor.Counters.AssistedInstructions.Should().BeOneOf(0, 4);
        guest.Processor.Counters.Exits[(int)ExitKind.Failed].Should().Be(0);
    }

    [SkippableFact]
    public void Without_the_assist_such_an_instruction_is_a_failed_exit_with_its_bytes()
    {
        IHypervisor kvm = KvmHost.Create("assist=off");
        kvm.Capabilities.Has(KvmBackend.InstructionAssist).Should().BeFalse();
        using ProbeGuest guest = new(kvm);
        guest.Prepare(s_x87);
        VpExit exit = guest.RunFor(TimeSpan.FromSeconds(2));
        guest.Processor.Counters.AssistedInstructions.Should().Be(0);
        Skip.If(exit.Kind == ExitKind.PortIo, "this host's kernel runs x87 instructions at level 0");
        exit.Kind.Should().Be(ExitKind.Failed);
        exit.Failed.InstructionByteCount.Should().BePositive();
        ((ushort)exit.Failed.InstructionBytes).Should().Be(0xE8D9, "FLD1 is D9 E8");
        guest.Processor[Register.Rip].Should().Be(ProbeLayout.Code + 2);
    }

    [SkippableFact]
    public void State_of_the_assist_and_of_the_kernel_is_one()
    {
        // At level 0: SSE and x87 in turns with instructions that the kernel runs, the result carried through registers, memory and flags.
        // fninit; mov eax, 3; movd xmm1, eax; paddd xmm1, xmm1; movd ecx, xmm1; add ecx, 10;
        // mov [rbx], ecx; fild dword [rbx]; fadd st0; fistp dword [rbx]; mov eax, [rbx];
        // stc; pxor xmm1, xmm1; adc eax, 0; out 0xFD, eax
        LimitProbe chain = s_x87 with
        {
            Code =
            [
                0xDB, 0xE3, 0xB8, 0x03, 0x00, 0x00, 0x00, 0x66, 0x0F, 0x6E, 0xC8, 0x66, 0x0F, 0xFE, 0xC9, 0x66, 0x0F, 0x7E, 0xC9, 0x83, 0xC1, 0x0A, 0x89, 0x0B,
                0xDB, 0x03,
                0xD8, 0xC0, 0xDB, 0x1B, 0x8B, 0x03, 0xF9, 0x66, 0x0F, 0xEF, 0xC9, 0x83, 0xD0, 0x00, 0xE7, 0xFD,
            ],
            Expected = ProbeEnd.Answer((((3 + 3) + 10) * 2) + 1),
        };
        using ProbeGuest guest = new(KvmHost.Create("assist=on"));
        guest.Run(chain).Observed.Should().Be(chain.Expected.ToString());
    }

    [SkippableFact]
    public void Fault_of_an_assisted_instruction_reaches_the_guest()
    {
        // fninit; clear the mask of division by zero: push 0x37B; fldcw [rsp]; fldz; fld1; fdivrp; fwait is #MF
        LimitProbe fault = s_x87 with
        {
            Code = [0xDB, 0xE3, 0x68, 0x7B, 0x03, 0x00, 0x00, 0xD9, 0x2C, 0x24, 0xD9, 0xE8, 0xD9, 0xEE, 0xDE, 0xF9, 0x9B, 0xE7, 0xFD],
            Expected = ProbeEnd.Exception(16),
        };
        using ProbeGuest guest = new(KvmHost.Create("assist=on"));
        guest.Run(fault).Observed.Should().Be(fault.Expected.ToString());
    }

    [SkippableTheory]
    [InlineData("assist=maybe")]
    [InlineData("assist=")]
    public void Other_settings_are_refused(string options)
    {
        Action open = () => KvmHost.Create(options);
        open.Should().Throw<ArgumentException>().WithMessage("*assist is on or off*");
    }
}
