using Iced.Intel;
using Vmm.X86.FloatingPoint;
using Vmm.X86.Tests.NativeOracle;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>Oracle: the host's x87 unit. Result and status word must agree to the bit.</summary>
public sealed class ArithmeticOracleTests
{
    private delegate Float80 Operation(Float80 a, Float80 b, ref X87Environment env);

    [SkippableFact]
    public void Add_any_operands_and_control_words_equals_host() => Compare(a => a.fadd(st0, st1), X87Arithmetic.Add, ControlWords.All);

    [SkippableFact]
    public void Subtract_any_operands_and_control_words_equals_host() =>
        Compare(a => a.fsub(st0, st1), X87Arithmetic.Subtract, ControlWords.All);

    [SkippableFact]
    public void Multiply_any_operands_and_control_words_equals_host() =>
        Compare(a => a.fmul(st0, st1), X87Arithmetic.Multiply, ControlWords.All);

    [SkippableFact]
    public void Divide_any_operands_and_control_words_equals_host() =>
        Compare(a => a.fdiv(st0, st1), X87Arithmetic.Divide, ControlWords.All);

    [SkippableFact]
    public void Square_root_any_operand_and_control_word_equals_host() =>
        Compare(a => a.fsqrt(), (Float80 a, Float80 _, ref X87Environment env) => X87Root.SquareRoot(a, ref env), ControlWords.All, true);

    [SkippableFact]
    public void Remainder_truncating_equals_host_with_quotient_bits() =>
        Compare(a => a.fprem(), X87Remainder.Truncating, ControlWords.Extended);

    [SkippableFact]
    public void Remainder_nearest_equals_host_with_quotient_bits() => Compare(a => a.fprem1(), X87Remainder.Nearest, ControlWords.Extended);

    [SkippableFact]
    public void Scale_equals_host() => Compare(a => a.fscale(), X87Scaling.Scale, ControlWords.Extended);

    [SkippableFact]
    public void Round_to_integral_equals_host() =>
        Compare(
            a => a.frndint(), (Float80 a, Float80 _, ref X87Environment env) => X87Scaling.RoundToIntegral(a, ref env),
            ControlWords.Extended, true);

    [SkippableFact]
    public void Compare_ordered_equals_host() => Compare(a => a.fcom(st0, st1), Ordered, ControlWords.Extended);

    [SkippableFact]
    public void Compare_unordered_equals_host() => Compare(a => a.fucom(st0, st1), Unordered, ControlWords.Extended);

    [SkippableFact]
    public void Examine_equals_host() => Compare(a => a.fxam(), Examine, ControlWords.Extended, true);

    private static Float80 Ordered(Float80 a, Float80 b, ref X87Environment env)
    {
        X87Relation relation = X87Comparison.CompareOrdered(a, b, ref env);
        env.SetConditions((ushort)relation);
        return a;
    }

    private static Float80 Unordered(Float80 a, Float80 b, ref X87Environment env)
    {
        X87Relation relation = X87Comparison.CompareUnordered(a, b, ref env);
        env.SetConditions((ushort)relation);
        return a;
    }

    private static Float80 Examine(Float80 a, Float80 b, ref X87Environment env)
    {
        env.SetConditions(X87Comparison.Examine(a));
        return a;
    }

    private static void Compare(Action<Assembler> instruction, Operation operation, ushort[] controlWords, bool single = false)
    {
        HostProcessor.Require();
        using X87Host host = new(instruction);
        List<string> differences = [];
        foreach (ushort controlWord in controlWords)
        {
            foreach (Float80 a in Operands.Edges)
            {
                if (single)
                {
                    CompareOne(host, operation, controlWord, a, Float80.One, differences);
                    continue;
                }

                int stride = (controlWord & 0x3F) is 0x3F ? 3 : 11;
                foreach (Float80 b in Operands.Edges.Where((_, i) => i % stride == stride / 2))
                    CompareOne(host, operation, controlWord, a, b, differences);
            }
        }

        Random random = new(80);
        for (int i = 0; i < 60_000; i++)
        {
            ushort controlWord = controlWords[random.Next(controlWords.Length)];
            CompareOne(host, operation, controlWord, Operands.Random(random), Operands.Random(random), differences);
        }

        differences.Should().BeEmpty();
    }

    private static void CompareOne(X87Host host, Operation operation, ushort controlWord, Float80 a, Float80 b, List<string> differences)
    {
        host.Run(controlWord, a, b);
        X87Environment env = new(controlWord, 0);
        env.Begin();
        Float80 result = operation(a, b, ref env);
        if (env.IsAbandoned)
            result = a;
        if ((result != host.Stack(0) || env.StatusWord != host.Status) && differences.Count < 20)
            differences.Add($"cw {controlWord:X4} {a} {b}: {result} {env.StatusWord:X4}, host {host.Stack(0)} {host.Status:X4}");
    }
}
