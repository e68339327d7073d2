using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.X87;

/// <summary>XSAVE and XRSTOR: against the host where it has them, faults by the manual (SDM Vol. 1 13.7, 13.8).</summary>
public sealed unsafe class XsaveTests
{
    private static readonly byte[] s_save = [0x48, 0x0F, 0xAE, 0x27]; // xsave64 [rdi]
    private static readonly byte[] s_saveOptimized = [0x48, 0x0F, 0xAE, 0x37]; // xsaveopt64 [rdi]
    private static readonly byte[] s_saveCompacted = [0x48, 0x0F, 0xC7, 0x27]; // xsavec64 [rdi]
    private static readonly byte[] s_restore = [0x48, 0x0F, 0xAE, 0x2F]; // xrstor64 [rdi]

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Save_and_restore_any_requested_states_equal_host(int requested)
    {
        HostProcessor.Require();
        Skip.IfNot(Avx.IsSupported, "native oracle: the host's system has not enabled XSAVE; run on a processor with AVX");
        using NativeState native = new();
        using NativeInstruction save = new(s_save);
        using NativeInstruction restore = new(s_restore);
        using X87Machine machine = Machine();
        Random random = new(requested);
        for (int round = 0; round < 200; round++)
        {
            Prepare(native, random, requested);
            byte[] input = native.Whole.ToArray();
            machine.Take(native);
            machine.State->General[2] = 0;
            save.Run(native);
            machine.Cpu.Run(s_save).Should().Be(Outcome.Next);
            CompareArea(native, machine, requested);

            // A random header restores some states and initialises others.
            input.CopyTo(native.Whole);
            BinaryPrimitives.WriteUInt64LittleEndian(native.Scratch[512..], (ulong)random.Next(4));
            native.Scratch.Slice(520, 56).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(native.Scratch[24..], 0x1F80 | (uint)random.Next(0x40));
            machine.Take(native);
            restore.Run(native);
            machine.Cpu.Run(s_restore).Should().Be(Outcome.Next);
            CompareState(native, machine);
        }
    }

    [Theory]
    [InlineData(0UL, 0UL, 0UL, "6")]
    [InlineData(Cr4Bits.OsXsave, Cr0Bits.TaskSwitched, 0UL, "7")]
    [InlineData(Cr4Bits.OsXsave, 0UL, 32UL, "13(0)")]
    public void Save_and_restore_not_allowed_fault(ulong cr4, ulong cr0, ulong offset, string fault)
    {
        foreach (byte[] bytes in new[] { s_save, s_restore })
        {
            using X87Machine machine = Machine();
            machine.State->Cr4 = Cr4Bits.OsFxsr | cr4;
            machine.State->Cr0 |= cr0;
            machine.State->General[7] = X87Machine.Data + offset;
            machine.Cpu.UpdateMode();
            machine.Cpu.Run(bytes).Should().Be(Outcome.Fault);
            machine.Cpu.Fault.Should().Be(fault);
        }
    }

    [Theory]
    [InlineData(512, 8UL)]
    [InlineData(520, 1UL)]
    [InlineData(520, 1UL << 62)]
    [InlineData(528, 1UL)]
    [InlineData(24, 0x0001_0000UL)]
    public void Restore_bad_header_or_mxcsr_is_general_protection_and_changes_nothing(int offset, ulong value)
    {
        using X87Machine machine = Machine();
        machine.State->General[7] = X87Machine.Data;
        machine.State->General[0] = 3;
        machine.State->Mxcsr = 0x1FA0;
        machine.State->FpuControl = 0x27F;
        machine.Cpu.Poke64(X87Machine.Data + (ulong)offset, value);
        machine.Cpu.Run(s_restore).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("13(0)");
        machine.State->Mxcsr.Should().Be(0x1FA0);
        machine.State->FpuControl.Should().Be(0x27F);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Compacted_save_and_restore_equal_host(int requested)
    {
        HostProcessor.Require();
        Skip.IfNot(Avx.IsSupported && (X86Base.CpuId(0xD, 1).Eax & 2) != 0,
            "native oracle: the host has no XSAVEC; run on a processor that has it");
        using NativeState native = new();
        using NativeInstruction save = new(s_saveCompacted);
        using NativeInstruction restore = new(s_restore);
        using X87Machine machine = Machine();
        Random random = new(requested + 10);
        for (int round = 0; round < 200; round++)
        {
            Prepare(native, random, requested);
            if (round % 4 == 0)
            {
                native.ControlWord = 0x37F; // x87 state in its initial configuration
                native.StatusWord = 0;
                native.AbridgedTags = 0;
                native.Fxsave[6..24].Clear();
                native.Fxsave[32..160].Clear();
            }
            if (round % 4 == 1)
                native.Fxsave[160..416].Clear();
            if (round % 8 == 1)
                BinaryPrimitives.WriteUInt32LittleEndian(native.Fxsave[24..], 0x1FA0);
            byte[] input = native.Whole.ToArray();
            machine.Take(native);
            machine.State->General[2] = 0;
            save.Run(native);
            machine.Cpu.Run(s_saveCompacted).Should().Be(Outcome.Next);
            // Whether x87 state counts as in use depends on pointers that the test does not control.
            ulong expected = BinaryPrimitives.ReadUInt64LittleEndian(native.Scratch[512..]);
            (machine.Cpu.Peek64(X87Machine.Data + 512) & ~1UL).Should().Be(expected & ~1UL);
            machine.Cpu.Peek64(X87Machine.Data + 520).Should().Be(BinaryPrimitives.ReadUInt64LittleEndian(native.Scratch[520..]));
            for (int i = (expected & 1) != 0 ? 24 : 160; i < 576; i++)
            {
                if (i is not ((>= 28 and < 32) or (>= 512 and < 520)))
                    machine.Cpu.Peek8(X87Machine.Data + (ulong)i).Should().Be(native.Scratch[i], $"byte {i}, round {round}");
            }

            input.CopyTo(native.Whole);
            BinaryPrimitives.WriteUInt64LittleEndian(native.Scratch[512..], (ulong)random.Next(4));
            BinaryPrimitives.WriteUInt64LittleEndian(native.Scratch[520..], (1UL << 63) | 3);
            BinaryPrimitives.WriteUInt32LittleEndian(native.Scratch[24..], 0x1F80 | (uint)random.Next(0x40));
            machine.Take(native);
            restore.Run(native);
            machine.Cpu.Run(s_restore).Should().Be(Outcome.Next);
            CompareState(native, machine);
        }
    }

    [Fact]
    public void Optimized_save_leaves_memory_of_states_in_their_initial_configuration_alone()
    {
        using X87Machine machine = Machine();
        machine.State->General[7] = X87Machine.Data;
        machine.State->General[0] = 7;
        machine.State->Mxcsr = 0x1F80;
        X87ControlInstructions.Initialize(machine.State);
        machine.State->Vector[2] = 0x1234; // YMM0's upper half
        machine.Cpu.Poke64(X87Machine.Data, 0x5555);
        machine.Cpu.Poke64(X87Machine.Data + 160, 0x6666);
        machine.Cpu.Poke64(X87Machine.Data + 512, 8 | 3);
        machine.Cpu.Run(s_saveOptimized).Should().Be(Outcome.Next);
        machine.Cpu.Peek64(X87Machine.Data).Should().Be(0x5555);
        machine.Cpu.Peek64(X87Machine.Data + 160).Should().Be(0x6666);
        machine.Cpu.Peek32(X87Machine.Data + 24).Should().Be(0x1F80, "the optimisation does not apply to MXCSR (SDM Vol. 1 13.9)");
        machine.Cpu.Peek64(X87Machine.Data + 576).Should().Be(0x1234);
        machine.Cpu.Peek64(X87Machine.Data + 512).Should().Be(8 | 4, "bits not asked for stay");
    }

    [Fact]
    public void Compacted_area_skips_components_that_were_not_asked_for()
    {
        using X87Machine machine = Machine();
        VcpuState* s = machine.State;
        s->General[7] = X87Machine.Data;
        s->General[0] = 6;
        s->Mxcsr = 0x1FA0;
        s->Vector[2] = 0x1234;
        machine.Cpu.Poke64(X87Machine.Data, 0x5555);
        machine.Cpu.Run(s_saveCompacted).Should().Be(Outcome.Next);
        machine.Cpu.Peek64(X87Machine.Data).Should().Be(0x5555);
        machine.Cpu.Peek64(X87Machine.Data + 512).Should().Be(6, "MXCSR differs from 1F80H, so SSE state is saved (SDM Vol. 1 13.10)");
        machine.Cpu.Peek64(X87Machine.Data + 520).Should().Be((1UL << 63) | 6);
        machine.Cpu.Peek64(X87Machine.Data + 576).Should().Be(0x1234);
        s->Vector[2] = 0;
        s->Mxcsr = 0x1F80;
        machine.Cpu.Run(s_restore).Should().Be(Outcome.Next);
        s->Vector[2].Should().Be(0x1234);
        s->Mxcsr.Should().Be(0x1FA0);
        machine.Cpu.Poke64(X87Machine.Data + 512, 0);
        machine.Cpu.Run(s_restore).Should().Be(Outcome.Next);
        s->Vector[2].Should().Be(0);
        s->Mxcsr.Should().Be(0x1F80, "the compacted form initialises MXCSR with SSE state (SDM Vol. 1 13.8.2)");
    }

    [Theory]
    [InlineData(512, 1UL)] // not in XCOMP_BV
    [InlineData(520, (1UL << 63) | 8)] // not in XCR0
    [InlineData(528, 1UL)]
    [InlineData(536, 1UL)]
    [InlineData(568, 1UL << 63)]
    public void Restore_of_a_bad_compacted_header_is_general_protection(int offset, ulong value)
    {
        using X87Machine machine = Machine();
        machine.State->General[7] = X87Machine.Data;
        machine.State->General[0] = 7;
        machine.Cpu.Poke64(X87Machine.Data + 520, (1UL << 63) | 6);
        machine.Cpu.Run(s_restore).Should().Be(Outcome.Next);
        machine.Cpu.Poke64(X87Machine.Data + (ulong)offset, value);
        machine.Cpu.Run(s_restore).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("13(0)");
    }

    [Fact]
    public void Restore_knows_no_compacted_format_where_the_feature_is_absent()
    {
        using X87Machine machine = new(Models.With(CpuFeature.Xsave));
        machine.State->Cr4 |= Cr4Bits.OsXsave;
        machine.State->Xcr0 = 3;
        machine.State->General[7] = X87Machine.Data;
        machine.State->General[0] = 3;
        machine.Cpu.Poke64(X87Machine.Data + 520, (1UL << 63) | 2);
        machine.Cpu.Run(s_restore).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("13(0)");
    }

    [Fact]
    public void Xgetbv_of_1_tells_which_enabled_states_are_in_use()
    {
        using X87Machine machine = Machine();
        VcpuState* s = machine.State;
        X87ControlInstructions.Initialize(s);
        s->Mxcsr = 0x1F80;
        s->General[1] = 1;
        machine.Cpu.Run(0x0F, 0x01, 0xD0).Should().Be(Outcome.Next);
        s->General[0].Should().Be(0);
        s->Mxcsr = 0x1FA0;
        s->Vector[62] = 1; // YMM15's upper half
        machine.Cpu.Run(0x0F, 0x01, 0xD0).Should().Be(Outcome.Next);
        s->General[0].Should().Be(6);
        s->Xcr0 = 3;
        s->FpuControl = 0x27F;
        machine.Cpu.Run(0x0F, 0x01, 0xD0).Should().Be(Outcome.Next);
        s->General[0].Should().Be(3);
        s->General[1] = 2;
        machine.Cpu.Run(0x0F, 0x01, 0xD0).Should().Be(Outcome.Fault);
    }

    private static X87Machine Machine()
    {
        X87Machine machine = new(Models.With(CpuFeature.Xsave, CpuFeature.XsaveCompacted, CpuFeature.XsaveOptimized, CpuFeature.Xgetbv1));
        machine.State->Cr4 |= Cr4Bits.OsXsave;
        machine.State->Xcr0 = 7;
        return machine;
    }

    private static void Prepare(NativeState native, Random random, int requested)
    {
        native.Clear();
        native.ControlWord = (ushort)(0x7F | (random.Next(0x10) << 8));
        native.StatusWord = (ushort)(random.Next(0x10000) & 0x7F7F);
        native.AbridgedTags = (byte)random.Next(0x100);
        for (int i = 0; i < 8; i++)
            random.NextBytes(native.Stack(i)[..10]);
        random.NextBytes(native.Fxsave.Slice(160, 256));
        random.NextBytes(native.Scratch[..1024]);
        native.Scratch.Slice(512, 64).Clear();
        native.General[0] = (ulong)requested;
        native.General[2] = 0;
        native.General[7] = (ulong)native.ScratchAddress;
    }

    private static void CompareArea(NativeState native, X87Machine machine, int requested)
    {
        for (int i = 0; i < 1024; i++)
        {
            // Recorded pointers are not under the test's control; MXCSR_MASK is the processor's own; state in its initial form may go
            // unreported.
            bool ignored = i is (>= 6 and < 24) or (>= 28 and < 32) or (>= 512 and < 520);
            if (!ignored)
                machine.Cpu.Peek8(X87Machine.Data + (ulong)i).Should().Be(native.Scratch[i], $"byte {i} of an area with {requested}");
        }

        machine.Cpu.Peek64(X87Machine.Data + 512).Should().Be((ulong)requested);
    }

    private static void CompareState(NativeState native, X87Machine machine)
    {
        VcpuState* s = machine.State;
        s->FpuControl.Should().Be(native.ControlWord);
        s->FpuStatus.Should().Be(native.StatusWord);
        s->FpuTags.Should().Be(native.AbridgedTags);
        s->Mxcsr.Should().Be(BinaryPrimitives.ReadUInt32LittleEndian(native.Fxsave[24..]));
        for (int i = 0; i < 8; i++)
        {
            machine.Stack(i).Significand.Should().Be(native.StackSignificand(i));
            machine.Stack(i).SignExponent.Should().Be(native.StackSignExponent(i));
        }

        for (int i = 0; i < 32; i++)
            s->Vector[(4 * (i >> 1)) + (i & 1)].Should().Be(BinaryPrimitives.ReadUInt64LittleEndian(native.Fxsave[(160 + (8 * i))..]));
    }
}
