using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;
using Vmm.X86.Tests.Simd;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Vex;

/// <summary>XSAVE and XRSTOR of the vector registers' halves against the host (SDM Vol. 1 13.5.2, 13.5.3, 13.7, 13.8).</summary>
// SAFETY: the pointers are the processor's state block and oracle blocks owned by the test.
public sealed unsafe class XsaveVectorTests
{
    private static readonly Action<Assembler> s_save = a => a.xsave64(__[rdi]), s_restore = a => a.xrstor64(__[rdi]);

    [SkippableTheory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public void Requested_halves_equal_the_hosts(int requested)
    {
        HostProcessor.Require();
        Skip.IfNot(Avx.IsSupported, "native oracle: the host has no AVX; run on a processor with it");
        using NativeState native = new();
        using NativeInstruction save = new(s_save, true), restore = new(s_restore, true);
        using IdentityProcessor processor = IdentityProcessor.WithAvx();
        Random random = new(requested);
        for (int round = 0; round < 100; round++)
        {
            native.Clear();
            random.NextBytes(native.Vectors);
            random.NextBytes(native.Scratch[..1024]);
            native.Scratch.Slice(512, 64).Clear();
            native.General[0] = (ulong)requested;
            native.General[7] = (ulong)native.ScratchAddress;
            byte[] before = native.Scratch.ToArray();
            Load(processor, native);
            save.Run(native);
            byte[] expected = native.Scratch.ToArray();
            before.CopyTo(native.Scratch);
            processor.Run(s_save).Should().Be(Outcome.Next);
            for (int i = 0; i < 1024; i++)
            {
                if (i is not ((>= 28 and < 32) or (>= 512 and < 520)))
                    native.Scratch[i].Should().Be(expected[i], $"byte {i}");
            }

            // A random header restores some halves and clears others.
            random.NextBytes(native.Scratch[..1024]);
            native.Scratch.Slice(512, 64).Clear();
            BinaryPrimitives.WriteUInt64LittleEndian(native.Scratch[512..], (ulong)(random.Next(4) * 2));
            BinaryPrimitives.WriteUInt32LittleEndian(native.Scratch[24..], 0x1F80 | (uint)random.Next(0x40));
            random.NextBytes(native.Vectors);
            Load(processor, native);
            restore.Run(native);
            processor.Run(s_restore).Should().Be(Outcome.Next);
            new Span<byte>(&processor.S->Vector[0], 512).SequenceEqual(native.Vectors).Should().BeTrue();
            processor.S->Mxcsr.Should().Be(BinaryPrimitives.ReadUInt32LittleEndian(native.Fxsave[24..]));
        }
    }

    private static void Load(IdentityProcessor processor, NativeState native)
    {
        VcpuState* s = processor.S;
        native.Vectors.CopyTo(new Span<byte>(&s->Vector[0], 512));
        s->Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(native.Fxsave[24..]);
        s->General[0] = native.General[0];
        s->General[2] = native.General[2];
        s->General[7] = native.General[7];
    }
}
