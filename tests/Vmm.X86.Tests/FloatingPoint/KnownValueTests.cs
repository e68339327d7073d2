using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>Values from tables of constants, for hosts without an x87 unit to compare with.</summary>
public sealed class KnownValueTests
{
    private static readonly Float80 s_three = X87Conversion.FromInteger(3);
    private static readonly Float80 s_two = X87Conversion.FromInteger(2);

    [Theory]
    [InlineData(0x037F, 0x3FFD, 0xAAAA_AAAA_AAAA_AAAB)]
    [InlineData(0x077F, 0x3FFD, 0xAAAA_AAAA_AAAA_AAAA)]
    [InlineData(0x027F, 0x3FFD, 0xAAAA_AAAA_AAAA_A800)]
    [InlineData(0x007F, 0x3FFD, 0xAAAA_AB00_0000_0000)]
    public void One_third_is_rounded_as_the_control_word_says(int controlWord, int exponent, ulong significand)
    {
        X87Environment env = new((ushort)controlWord, 0);
        X87Arithmetic.Divide(Float80.One, s_three, ref env).Should().Be(new Float80(significand, (ushort)exponent));
        env.Raised.Should().Be(X87Exceptions.Precision);
    }

    [Fact]
    public void Functions_of_small_integers_are_the_constants_of_mathematics()
    {
        X87Environment env = new(0x37F, 0);
        X87Root.SquareRoot(s_two, ref env).Should().Be(new Float80(0xB504_F333_F9DE_6484, 0x3FFF));
        X87ArcTangent.ArcTangent(Float80.One, Float80.One, ref env).Should().Be(new Float80(0xC90F_DAA2_2168_C235, 0x3FFE));
        X87Trigonometry.Sine(Float80.One, ref env).Should().Be(new Float80(0xD76A_A478_4867_7021, 0x3FFE));
        X87Trigonometry.Cosine(Float80.One, ref env).Should().Be(new Float80(0x8A51_407D_A834_5C92, 0x3FFE));
        X87Trigonometry.Tangent(Float80.One, ref env).Should().Be(new Float80(0xC759_22E5_F71D_2DC5, 0x3FFF));
        X87Logarithm.YLog2X(s_three, Float80.One, ref env).Should().Be(new Float80(0xCAE0_0D1C_FDEB_43D0, 0x3FFF));
        X87Exponential.TwoToPowerMinusOne(new Float80(1UL << 63, 0x3FFE), ref env).Should().Be(new Float80(0xD413_CCCF_E779_9211, 0x3FFD));
    }

    [Fact]
    public void Double_round_trip_of_host_doubles_is_exact()
    {
        Random random = new(64);
        for (int i = 0; i < 10_000; i++)
        {
            ulong bits = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            if (double.IsNaN(BitConverter.UInt64BitsToDouble(bits)))
                continue;
            X87Environment env = new(0x37F, 0);
            X87Conversion.ToDouble(X87Conversion.FromDouble(bits, ref env), ref env).Should().Be(bits);
        }
    }

    [Fact]
    public void Arithmetic_at_double_precision_equals_host_doubles()
    {
        Random random = new(53);
        for (int i = 0; i < 10_000; i++)
        {
            double a = (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-60, 60));
            double b = (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-60, 60));
            Apply(X87Arithmetic.Add, a, b).Should().Be(a + b);
            Apply(X87Arithmetic.Subtract, a, b).Should().Be(a - b);
            Apply(X87Arithmetic.Multiply, a, b).Should().Be(a * b);
            Apply(X87Arithmetic.Divide, a, b).Should().Be(a / b);
        }
    }

    private delegate Float80 Operation(Float80 a, Float80 b, ref X87Environment env);

    private static double Apply(Operation operation, double a, double b)
    {
        X87Environment env = new(0x27F, 0);
        Float80 left = X87Conversion.FromDouble(BitConverter.DoubleToUInt64Bits(a), ref env);
        Float80 right = X87Conversion.FromDouble(BitConverter.DoubleToUInt64Bits(b), ref env);
        return BitConverter.UInt64BitsToDouble(X87Conversion.ToDouble(operation(left, right, ref env), ref env));
    }
}
