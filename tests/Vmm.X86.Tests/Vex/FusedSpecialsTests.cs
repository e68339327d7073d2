using System.Globalization;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;
using Vmm.X86.Tests.Simd;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Vex;

/// <summary>
/// Fused multiplication and addition of every triple of special numbers, where operands' kinds meet that random ones seldom combine.
/// </summary>
// SAFETY: the pointers are the processor's state block and oracle blocks owned by the test.
public sealed unsafe class FusedSpecialsTests
{
    private static readonly ulong[] s_doubles =
    [
        0, 1, 0x000F_FFFF_FFFF_FFFF, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001, 0x1FF0_0000_0000_0000, 0x3CA0_0000_0000_0000,
        0x3FEF_FFFF_FFFF_FFFF, 0x3FF0_0000_0000_0000, 0x3FF0_0000_0000_0001, 0x5FF0_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF,
        0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0123, 0x7FF8_0000_0000_0456,
    ];

    [SkippableTheory]
    [InlineData(0x1F80u)]
    [InlineData(0x3FE0u)]
    [InlineData(0x5F80u)]
    [InlineData(0x7F80u)]
    [InlineData(0x1FC0u)]
    [InlineData(0x9F80u)]
    [InlineData(0x9FE0u)]
    public void Every_triple_gives_what_the_host_gives(uint mxcsr)
    {
        HostProcessor.Require();
        Skip.IfNot(Fma.IsSupported, "native oracle: the host has no FMA; run on a processor with it");
        StringBuilder failures = new();
        foreach (Action<Assembler> emit in new Action<Assembler>[]
        {
            a => a.vfmadd132pd(ymm1, ymm2, ymm3), a => a.vfmsub213pd(ymm1, ymm2, ymm3), a => a.vfnmadd231pd(ymm1, ymm2, ymm3),
            a => a.vfnmsub213sd(xmm1, xmm2, xmm3), a => a.vfmaddsub231pd(ymm1, ymm2, ymm3),
        })
            RunAll(emit, mxcsr, failures);
        failures.ToString().Should().BeEmpty();
    }

    private static void RunAll(Action<Assembler> emit, uint mxcsr, StringBuilder failures)
    {
        using NativeInstruction native = new(emit, true);
        using NativeState state = new();
        using IdentityProcessor processor = IdentityProcessor.WithAvx();
        ulong rip = processor.Load(emit);
        foreach (ulong x in s_doubles)
        {
            foreach (ulong y in s_doubles)
            {
                foreach (ulong z in s_doubles)
                {
                    state.Clear();
                    BitConverter.TryWriteBytes(state.Fxsave[24..], mxcsr);
                    for (int lane = 0; lane < 4; lane++)
                    {
                        BitConverter.TryWriteBytes(state.Vectors[(32 + (8 * lane))..], x);
                        BitConverter.TryWriteBytes(state.Vectors[(64 + (8 * lane))..], y);
                        BitConverter.TryWriteBytes(state.Vectors[(96 + (8 * lane))..], z | ((ulong)(lane & 1) << 63));
                    }
                    state.Vectors.CopyTo(new Span<byte>(&processor.S->Vector[0], 512));
                    processor.S->Mxcsr = mxcsr;
                    processor.S->Rip = rip;
                    native.Run(state);
                    processor.ExecuteOne().Should().Be(RunResult.Done);
                    Span<byte> actual = new(&processor.S->Vector[4], 32), expected = state.Vectors[32..64];
                    uint control = BitConverter.ToUInt32(state.Fxsave[24..]);
                    if (!actual.SequenceEqual(expected) || processor.S->Mxcsr != control)
                        failures.AppendLine(CultureInfo.InvariantCulture, $"{x:X} {y:X} {z:X}: {Convert.ToHexString(actual)} "
                            + $"{processor.S->Mxcsr:X}, host {Convert.ToHexString(expected)} {control:X}");
                }
            }
        }
    }
}
