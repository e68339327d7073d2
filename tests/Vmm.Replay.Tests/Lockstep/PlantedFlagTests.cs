extern alias mutants;
using Iced.Intel;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;
using BrokenEmulator = mutants::Vmm.Emulator.EmulatorHypervisor;
using Mutant = mutants::Vmm.Emulator.Mutants.Mutant;
using Mutation = mutants::Vmm.Emulator.Mutants.Mutation;

namespace Vmm.Replay.Tests;

/// <summary>A flag that one backend gets wrong, once in a long loop, is found and named to the instruction.</summary>
public sealed class PlantedFlagTests : IDisposable
{
    private const ulong Start = 0x1000;

    private readonly ulong _increment;
    private readonly byte[] _code;

    public PlantedFlagTests()
    {
        Mutation.Active = Mutant.IncSetsCarry;
        Assembler guest = new(64);
        Label loop = guest.CreateLabel(), increment = guest.CreateLabel();
        guest.Label(ref loop);
        guest.imul(rbx, rbx, 33);
        guest.xor(rbx, rsi);
        guest.mov(__[0x3000], rbx);
        guest.test(rbx, rbx); // clears the carry flag, which the increment must leave alone
        guest.Label(ref increment);
        guest.inc(esi);
        guest.pushfq(); // what it did to the flag stays
        guest.pop(rdx);
        guest.add(rdi, rdx);
        guest.lea(rcx, __[rcx - 1]);
        guest.jrcxz(guest.@F);
        guest.jmp(loop);
        guest.AnonymousLabel();
        guest.@out(0x55, al);
        guest.hlt();
        MemoryStream stream = new();
        AssemblerResult result = guest.Assemble(new StreamCodeWriter(stream), Start, BlockEncoderOptions.ReturnNewInstructionOffsets);
        _increment = result.GetLabelRIP(increment);
        _code = stream.ToArray();
    }

    public void Dispose() => Mutation.Active = Mutant.None;

    [Theory]
    [InlineData(true, 400_000u, 100_000)]
    [InlineData(false, 900u, 300)]
    public void Wrong_flag_is_named_to_the_instruction(bool isCounted, uint rounds, int wrongAt)
    {
        LockstepHypervisor lockstep = new(new EmulatorHypervisor(), new BrokenEmulator(), new LockstepOptions { Interval = 100_000 });
        LockstepDivergence divergence = Run(lockstep, isCounted, rounds, wrongAt);
        divergence.Backends.Should().Be(("emulator", "emulator"));
        Check(divergence);
        divergence.State.Should().ContainSingle().Which.Should().Match<StateDifference>(it => ((ulong)it.Expected! ^ (ulong)it.Actual!) == 1);
    }

    [SkippableFact]
    public void Wrong_flag_of_the_emulator_is_found_by_kvm()
    {
        LockstepHypervisor lockstep = SecondBackends.WithKvm(new BrokenEmulator());
        LockstepDivergence divergence = Run(lockstep, false, 90, 30);
        divergence.Backends.Should().Be(("emulator", "kvm"));
        Check(divergence);
    }

    [Fact]
    public void Unbroken_copy_has_no_difference()
    {
        Mutation.Active = Mutant.None;
        LockstepHypervisor lockstep = new(new EmulatorHypervisor(), new BrokenEmulator(), new LockstepOptions { Interval = 100_000 });
        using LockstepPartition partition = Prepare(lockstep, true, 100_000, 50_000);
        RunToHalt(partition).Kind.Should().Be(ExitKind.Halt);
        partition.Divergence.Should().BeNull();
        partition.Comparisons.Should().BeGreaterThan(5);
    }

    private void Check(LockstepDivergence divergence)
    {
        divergence.IsExact.Should().BeTrue("it is\n{0}", divergence);
        divergence.Rip.Should().Be(_increment);
        divergence.Disassembly.Should().Be("inc esi");
        divergence.Bytes.Should().Be("FFC6");
        divergence.State.Should().OnlyContain(it => it.Element == "general" && it.Field == "Rflags");
        divergence.Memory.Should().BeEmpty();
        divergence.Before.Elements.Should().NotBeEmpty();
        divergence.First.Should().NotBeNull();
        divergence.Second.Should().NotBeNull();
        divergence.ToString().Should().Contain("inc esi").And.Contain("general.Rflags");
    }

    private LockstepDivergence Run(LockstepHypervisor lockstep, bool isCounted, uint rounds, int wrongAt)
    {
        using LockstepPartition partition = Prepare(lockstep, isCounted, rounds, wrongAt);
        VpExit exit = RunToHalt(partition);
        exit.Kind.Should().Be(ExitKind.Failed);
        exit.Failed.Code.Should().Be(LockstepHypervisor.DivergenceCode);
        return partition.Divergence!;
    }

    // The increment wraps to zero in the given round, and there alone the broken one sets the carry flag.
    private LockstepPartition Prepare(LockstepHypervisor lockstep, bool isCounted, uint rounds, int wrongAt)
    {
        LockstepPartition partition = lockstep.CreatePartition(new PartitionOptions { VirtualTime = isCounted });
        GuestMemory memory = partition.AllocateMemory(1 << 20);
        partition.Memory.Map(0, memory, 0, 1 << 20, GuestAccess.All);
        memory.Dispose();
        partition.Memory.Write(Start, _code);
        // 64-bit mode with one page of 2 MiB for the first addresses.
        partition.Memory.Write(0x10000, BitConverter.GetBytes(0x11027UL));
        partition.Memory.Write(0x11000, BitConverter.GetBytes(0x12027UL));
        partition.Memory.Write(0x12000, BitConverter.GetBytes(0xE7UL));
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        state.General = new GeneralRegisters { Rip = Start, Rflags = 2, Rbx = 1, Rcx = rounds, Rsi = (uint)-wrongAt, Rsp = 0x8000 };
        state.Control.Cr0 = 0x8001_0033;
        state.Control.Cr3 = 0x10000;
        state.Control.Cr4 = 0x20;
        state.Control.Efer = 0x500;
        state.Segments.Cs = SegmentDescriptor.Code64(8);
        state.Segments.Ds = state.Segments.Es = state.Segments.Ss = state.Segments.Fs = state.Segments.Gs = SegmentDescriptor.FlatData(16);
        state.Segments.Tr = new SegmentDescriptor(24, 0, 0x67, 0x8B);
        processor.SetState(RegisterGroups.Registers, in state);
        return partition;
    }

    private static VpExit RunToHalt(LockstepPartition partition)
    {
        while (true)
        {
            VpExit exit = partition.Processors[0].Run();
            if (exit.Kind is not (ExitKind.PortIo or ExitKind.Cancelled))
                return exit;
        }
    }
}
