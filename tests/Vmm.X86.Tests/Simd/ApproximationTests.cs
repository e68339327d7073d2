using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Simd;

/// <summary>RCPSS and RSQRTSS as computed where the host has none: SDM Vol. 2B bounds the relative error by 1.5 * 2^-12.</summary>
public sealed class ApproximationTests
{
    private const double Bound = 1.5 / 4096;

    [Theory]
    [InlineData(0x0000_0000u, 0x7F80_0000u, 0x7F80_0000u)]
    [InlineData(0x8000_0000u, 0xFF80_0000u, 0xFF80_0000u)]
    [InlineData(0x007F_FFFFu, 0x7F80_0000u, 0x7F80_0000u)]
    [InlineData(0x8000_0001u, 0xFF80_0000u, 0xFF80_0000u)]
    [InlineData(0x7F80_0000u, 0x0000_0000u, 0x0000_0000u)]
    [InlineData(0xFF80_0000u, 0x8000_0000u, 0xFFC0_0000u)]
    [InlineData(0x7F80_0001u, 0x7FC0_0001u, 0x7FC0_0001u)]
    [InlineData(0xFFC1_2345u, 0xFFC1_2345u, 0xFFC1_2345u)]
    [InlineData(0xBF80_0000u, 0xBF80_0000u, 0xFFC0_0000u)]
    [InlineData(0x7F7F_FFFFu, 0x0000_0000u, 0x1F80_0000u)] // a tiny result is flushed
    public void Special_operands_give_what_the_manual_says(uint x, uint reciprocal, uint reciprocalSquareRoot)
    {
        FloatApproximations.PortableReciprocal(x).Should().Be(reciprocal);
        FloatApproximations.PortableReciprocalSquareRoot(x).Should().Be(reciprocalSquareRoot);
    }

    [Fact]
    public void Relative_error_stays_in_bounds()
    {
        Random random = new(7);
        for (int i = 0; i < 10_000; i++)
        {
            uint x = ((uint)random.Next(1, 250) << 23) | (uint)random.Next(1 << 23);
            double value = BitConverter.UInt32BitsToSingle(x);
            double reciprocal = BitConverter.UInt32BitsToSingle(FloatApproximations.PortableReciprocal(x));
            double root = BitConverter.UInt32BitsToSingle(FloatApproximations.PortableReciprocalSquareRoot(x));
            Math.Abs((reciprocal * value) - 1).Should().BeLessThan(Bound);
            Math.Abs((root * Math.Sqrt(value)) - 1).Should().BeLessThan(Bound);
        }
    }
}
