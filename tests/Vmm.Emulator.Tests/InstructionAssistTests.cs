using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.Emulator.Tests;

/// <summary>
/// The assist finishes one instruction on a processor that it does not own, and the processor goes on as if it had run it itself.
/// </summary>
public sealed class InstructionAssistTests
{
    private const ulong Code = 0x1000;

    private static readonly CpuidModel s_model = new(CpuProfiles.V1.Leaves.Select(leaf =>
        new CpuidRow(leaf.Leaf, leaf.Subleaf, leaf.Value.Eax, leaf.Value.Ebx, leaf.Value.Ecx, leaf.Value.Edx)));

    // mov eax, 0x12345678 | add eax, ebx | mov [0x3000], eax | movd xmm3, eax | fld1 | push eax | imul ecx, eax, 3 | stc | adc edx, edx |
    // hlt
    private static readonly byte[] s_program =
    [
        0xB8, 0x78, 0x56, 0x34, 0x12, 0x01, 0xD8, 0xA3, 0x00, 0x30, 0x00, 0x00, 0x66, 0x0F, 0x6E, 0xD8, 0xD9, 0xE8, 0x50, 0x6B, 0xC8, 0x03, 0xF9, 0x11, 0xD2, 0xF4,
    ];

    [Fact]
    public void Every_instruction_may_be_finished_by_the_assist_instead()
    {
        const int Instructions = 9;
        using Guest native = new(s_program);
        VpExit end = native.Processor.Run();
        end.Kind.Should().Be(ExitKind.Halt);
        for (int assisted = 0; assisted < Instructions; assisted++)
        {
            using Guest guest = new(s_program, budget: 1);
            using InstructionAssist assist = new(guest.Processor, s_model);
            for (int i = 0; i < Instructions; i++)
            {
                if (i == assisted)
                {
                    assist.Begin();
                    assist.Step().Should().BeTrue();
                    assist.Commit();
                }
                else
                {
                    guest.Processor.Run().Kind.Should().Be(ExitKind.Cancelled);
                }
            }
            VpExit exit = guest.Processor.Run();
            if (exit.Kind == ExitKind.Cancelled)
                exit = guest.Processor.Run();
            exit.Kind.Should().Be(ExitKind.Halt);
            guest.Processor.GetState(RegisterGroups.Registers, out ProcessorState state);
            native.Processor.GetState(RegisterGroups.Registers, out ProcessorState expected);
            state.Should().Be(expected, "instruction {0} was assisted", assisted);
            guest.Xsave().Should().Equal(native.Xsave());
            guest.Word(0x3000).Should().Be(native.Word(0x3000));
        }
    }

    [Fact]
    public void An_instruction_that_needs_the_outside_is_answered_and_finished()
    {
        // add [0xD0000000], eax: a read and a write of unmapped memory; then hlt
        using Guest guest = new([0x01, 0x05, 0x00, 0x00, 0x00, 0xD0, 0xF4]);
        guest.Processor[Register.Rax] = 5;
        using InstructionAssist assist = new(guest.Processor, s_model);
        assist.Begin();
        assist.Step().Should().BeFalse();
        assist.Request.Kind.Should().Be(ExternalRequestKind.MmioRead);
        assist.Request.Address.Should().Be(0xD000_0000);
        assist.Answer(37);
        assist.Step().Should().BeFalse();
        assist.Request.Kind.Should().Be(ExternalRequestKind.MmioWrite);
        assist.Request.Value.Should().Be(42);
        assist.Answer();
        assist.Step().Should().BeTrue();
        assist.Commit();
        guest.Processor[Register.Rip].Should().Be(Code + 6);
        guest.Processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public void A_fault_of_the_assisted_instruction_enters_the_guests_own_handler()
    {
        // Real mode: div cl with CL = 0 is #DE; the vector table at 0 sends it to 0:0x2000, a HLT.
        using Guest guest = new([0xF6, 0xF1], real: true);
        guest.Memory.Write(0, [0x00, 0x20, 0x00, 0x00]);
        guest.Memory.Write(0x2000, [0xF4]);
        using InstructionAssist assist = new(guest.Processor, s_model);
        assist.Begin();
        assist.Step().Should().BeTrue();
        assist.Commit();
        guest.Processor[Register.Rip].Should().Be(0x2000);
        guest.Processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    private sealed class Guest : IDisposable
    {
        private readonly IPartition _partition;

        public Guest(byte[] code, ulong budget = 0, bool real = false)
        {
            _partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions { InstructionBudget = budget });
            Memory = _partition.AllocateMemory(0x1_0000);
            _partition.Memory.Map(0, Memory, 0, Memory.Length, GuestAccess.All);
            Memory.Write(Code, code);
            if (real)
                Processor.StartInRealMode((ushort)Code, 0x8000);
            else
                Processor.StartInProtectedMode((uint)Code, 0x8000);
            Processor.GetState(RegisterGroups.Control, out ProcessorState state);
            state.Control.Cr4 |= 0x600; // OSFXSR, OSXMMEXCPT
            Processor.SetState(RegisterGroups.Control, in state);
        }

        public GuestMemory Memory { get; }

        public IVirtualProcessor Processor => _partition.Processors[0];

        public byte[] Xsave()
        {
            byte[] area = new byte[Processor.XsaveSize];
            Processor.GetXsave(area);
            return area;
        }

        public uint Word(ulong address) => BitConverter.ToUInt32(Memory.GetSpan(address, 4));

        public void Dispose()
        {
            _partition.Dispose();
            Memory.Dispose();
        }
    }
}
