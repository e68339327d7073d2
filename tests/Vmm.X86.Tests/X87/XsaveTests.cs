using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.X87;

/// <summary>XSAVE and XRSTOR: against the host where it has them, faults by the manual (SDM Vol. 1 13.7, 13.8).</summary>
public sealed unsafe class XsaveTests
{
    private static readonly byte[] s_save = [0x48, 0x0F, 0xAE, 0x27]; // xsave64 [rdi]
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
    [InlineData(512, 4UL)]
    [InlineData(520, 1UL)]
    [InlineData(520, 1UL << 63)]
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

    private static X87Machine Machine()
    {
        X87Machine machine = new(Models.With(CpuFeature.Xsave));
        machine.State->Cr4 |= Cr4Bits.OsXsave;
        machine.State->Xcr0 = 3;
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
