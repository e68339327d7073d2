using Iced.Intel;
using Vmm.X86.FloatingPoint;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>
/// Oracle: the host's x87 unit. Results may differ by one unit in the last place, and C1 (rounded up) with them or where the unit does not
/// report it; every other flag must agree, and of random arguments at least eight in ten results must agree to the bit. Of processors
/// other than
/// AMD's only ordinary arguments are compared.
/// </summary>
public sealed class TranscendentalOracleTests
{
    private delegate Float80 Operation(Float80 a, Float80 b, ref X87Environment env);

    [SkippableFact]
    public void Two_to_power_minus_one_is_within_one_place_of_host() => Compare(
        a => a.f2xm1(), (Float80 a, Float80 _, ref X87Environment env) => X87Exponential.TwoToPowerMinusOne(a, ref env), -70, 0);

    [SkippableFact]
    public void Logarithm_is_within_one_place_of_host() => Compare(a => a.fyl2x(), X87Logarithm.YLog2X, -70, 70, true);

    [SkippableFact]
    public void Logarithm_of_one_plus_is_within_one_place_of_host() => Compare(a => a.fyl2xp1(), X87Logarithm.YLog2XPlusOne, -70, -2, true);

    [SkippableFact]
    public void Arc_tangent_is_within_one_place_of_host() => Compare(a => a.fpatan(), X87ArcTangent.ArcTangent, -70, 70, true);

    [SkippableFact]
    public void Sine_is_within_one_place_of_host() => Compare(
        a => a.fsin(), (Float80 a, Float80 _, ref X87Environment env) => X87Trigonometry.Sine(a, ref env), -70, 63);

    [SkippableFact]
    public void Cosine_is_within_one_place_of_host() => Compare(
        a => a.fcos(), (Float80 a, Float80 _, ref X87Environment env) => X87Trigonometry.Cosine(a, ref env), -70, 63);

    [SkippableFact]
    public void Tangent_is_within_one_place_of_host() => Compare(
        a => a.fptan(), (Float80 a, Float80 _, ref X87Environment env) => X87Trigonometry.Tangent(a, ref env), -70, 63, false, true);

    private static void Compare(
        Action<Assembler> instruction, Operation operation, int lowest, int highest, bool pops = false, bool pushes = false)
    {
        HostProcessor.Require();
        using X87Host host = new(instruction);
        List<string> differences = [];
        int exact = 0;
        int total = 0;
        int rounding = 0;
        foreach (ushort controlWord in HostProcessor.IsAmd ? ControlWords.Extended : [])
        {
            foreach (Float80 a in Operands.Edges)
            {
                foreach (Float80 b in pops ? Operands.Edges.Where((_, i) => i % 11 == 2) : [Float80.One])
                    One(controlWord, a, b);
            }
        }

        exact = total = rounding = 0;
        Random random = new(87);
        highest = HostProcessor.IsAmd || pops ? highest : Math.Min(highest, -1);
        for (int i = 0; i < 20_000; i++)
            One((ushort)(0x37F | (random.Next(4) << 10)), Operands.Moderate(random, lowest, highest), Operands.Moderate(random, -70, 70));
        differences.Should().BeEmpty();
        int expected = HostProcessor.IsAmd ? total * 8 : 0;
        (exact * 10).Should().BeGreaterThan(expected, $"{exact} of {total} results, and C1 besides {rounding} times, are the host's");

        void One(ushort controlWord, Float80 a, Float80 b)
        {
            host.Run(controlWord, a, b);
            X87Environment env = new(controlWord, 0);
            env.Begin();
            Float80 result = operation(a, b, ref env);
            bool incomplete = (host.Status & X87Environment.Condition2) != 0;
            Float80 theirs = host.Stack(pushes && !incomplete && !env.IsAbandoned ? 1 : 0);
            if (env.IsAbandoned)
                result = a;
            bool near = Distance(result, theirs) <= (HostProcessor.IsAmd ? 1u : 2u);
            bool equalFlags = ((env.StatusWord ^ host.Status) & ~X87Environment.Condition1) == 0;
            total++;
            exact += result == theirs ? 1 : 0;
            rounding += env.StatusWord == host.Status ? 1 : 0;
            if ((!near || !equalFlags) && differences.Count < 20)
                differences.Add($"cw {controlWord:X4} {a} {b}: {result} {env.StatusWord:X4}, host {theirs} {host.Status:X4}");
        }
    }

    private static UInt128 Distance(Float80 a, Float80 b)
    {
        if (a == b)
            return 0;
        if (a.IsNegative != b.IsNegative || a.IsNaN || b.IsNaN || a.IsInfinity || b.IsInfinity)
            return UInt128.MaxValue;
        UInt128 left = Place(a);
        UInt128 right = Place(b);
        return left > right ? left - right : right - left;
    }

    private static UInt128 Place(Float80 a) => ((UInt128)(uint)Math.Max(a.Exponent, 1) << 63) + (a.Significand & long.MaxValue)
        + ((long)a.Significand < 0 ? UInt128.One << 63 : 0);
}
