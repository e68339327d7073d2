using Iced.Intel;
using Vmm.X86.FloatingPoint;
using Vmm.X86.Tests.NativeOracle;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>Loads, stores and constants against the host's x87 unit: value or memory, and status word, to the bit.</summary>
public sealed class ConversionOracleTests
{
    private const ulong Untouched = 0x5A5A_5A5A_5A5A_5A5A;

    private delegate void Store(Float80 a, Span<byte> memory, ref X87Environment env);

    private delegate Float80 Load(ReadOnlySpan<byte> memory, ref X87Environment env);

    [SkippableFact]
    public void Store_single_equals_host() =>
        CompareStore(a => a.fst(__dword_ptr[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
        Put(m, X87Conversion.ToSingle(a, ref env), 4, env));

    [SkippableFact]
    public void Store_double_equals_host() =>
        CompareStore(a => a.fst(__qword_ptr[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
        Put(m, X87Conversion.ToDouble(a, ref env), 8, env));

    [SkippableFact]
    public void Store_word_integer_equals_host() =>
        CompareStore(a => a.fist(__word_ptr[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
        Put(m, (ulong)X87Conversion.ToInteger(a, 16, ref env), 2, env));

    [SkippableFact]
    public void Store_doubleword_integer_equals_host() =>
        CompareStore(a => a.fist(__dword_ptr[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
        Put(m, (ulong)X87Conversion.ToInteger(a, 32, ref env), 4, env));

    [SkippableFact]
    public void Store_quadword_integer_equals_host() =>
        CompareStore(a => a.fistp(__qword_ptr[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
        Put(m, (ulong)X87Conversion.ToInteger(a, 64, ref env), 8, env));

    [SkippableFact]
    public void Store_truncated_integer_equals_host() =>
        CompareStore(a => a.fisttp(__dword_ptr[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
        Put(m, (ulong)X87Conversion.ToIntegerTruncated(a, 32, ref env), 4, env));

    [SkippableFact]
    public void Store_packed_decimal_equals_host() =>
        CompareStore(a => a.fbstp(__[rdi]), (Float80 a, Span<byte> m, ref X87Environment env) =>
    {
        Span<byte> packed = stackalloc byte[X87Decimal.Size];
        X87Decimal.ToPacked(a, packed, ref env);
        if (!env.IsStoreAbandoned)
            packed.CopyTo(m);
    });

    [SkippableFact]
    public void Load_single_equals_host() => CompareLoad(a => a.fld(__dword_ptr[rdi]), (ReadOnlySpan<byte> m, ref X87Environment env) =>
        X87Conversion.FromSingle(BitConverter.ToUInt32(m), ref env), 4, 8);

    [SkippableFact]
    public void Load_double_equals_host() => CompareLoad(a => a.fld(__qword_ptr[rdi]), (ReadOnlySpan<byte> m, ref X87Environment env) =>
        X87Conversion.FromDouble(BitConverter.ToUInt64(m), ref env), 8, 11);

    [SkippableFact]
    public void Load_integers_equals_host()
    {
        CompareLoad(a => a.fild(__word_ptr[rdi]), (ReadOnlySpan<byte> m, ref X87Environment env) =>
            X87Conversion.FromInteger(BitConverter.ToInt16(m)), 2, 1);
        CompareLoad(a => a.fild(__dword_ptr[rdi]), (ReadOnlySpan<byte> m, ref X87Environment env) =>
            X87Conversion.FromInteger(BitConverter.ToInt32(m)), 4, 1);
        CompareLoad(a => a.fild(__qword_ptr[rdi]), (ReadOnlySpan<byte> m, ref X87Environment env) =>
            X87Conversion.FromInteger(BitConverter.ToInt64(m)), 8, 1);
    }

    [SkippableFact]
    public void Load_packed_decimal_equals_host() => CompareLoad(a => a.fbld(__[rdi]), (ReadOnlySpan<byte> m, ref X87Environment env) =>
        X87Decimal.FromPacked(m), 10, 1);

    [SkippableFact]
    public void Constants_every_rounding_equal_host()
    {
        HostProcessor.Require();
        (Action<Assembler> Instruction, Func<X87Rounding, Float80> Ours)[] constants =
        [
            (a => a.fldl2t(), X87Constants.Log2Of10), (a => a.fldl2e(), X87Constants.Log2OfE), (a => a.fldpi(), X87Constants.Pi),
            (a => a.fldlg2(), X87Constants.Log10Of2), (a => a.fldln2(), X87Constants.LogEOf2),
        ];
        foreach ((Action<Assembler> instruction, Func<X87Rounding, Float80> ours) in constants)
        {
            using X87Host host = new(instruction);
            foreach (ushort controlWord in ControlWords.All)
            {
                host.Run(controlWord, Float80.Zero, Float80.Zero);
                ours(new X87Environment(controlWord, 0).Rounding).Should().Be(host.Stack(0));
                host.Status.Should().Be(0);
            }
        }
    }

    [SkippableFact]
    public void Extract_equals_host()
    {
        HostProcessor.Require();
        using X87Host host = new(a => a.fxtract());
        foreach (ushort controlWord in ControlWords.Extended)
        {
            foreach (Float80 a in Operands.Edges)
            {
                host.Run(controlWord, a, Float80.One);
                X87Environment env = new(controlWord, 0);
                env.Begin();
                Float80 exponent = X87Scaling.Extract(a, out Float80 significand, ref env);
                env.StatusWord.Should().Be(host.Status, $"cw {controlWord:X4} {a}");
                if (env.IsAbandoned)
                    continue;
                significand.Should().Be(host.Stack(0), $"cw {controlWord:X4} {a}");
                exponent.Should().Be(host.Stack(1), $"cw {controlWord:X4} {a}");
            }
        }
    }

    private static void Put(Span<byte> memory, ulong value, int size, in X87Environment env)
    {
        if (!env.IsStoreAbandoned)
            BitConverter.GetBytes(value).AsSpan(0, size).CopyTo(memory);
    }

    private static void CompareStore(Action<Assembler> instruction, Store ours)
    {
        HostProcessor.Require();
        using X87Host host = new(instruction);
        List<string> differences = [];
        Random random = new(7);
        Float80[] values =
        [
            .. Operands.Edges,
            .. Enumerable.Range(0, 1500).Select(_ => Operands.Random(random)),
            .. Enumerable.Range(0, 1500).Select(_ => Operands.Moderate(random, -2, 66)),
            .. Enumerable.Range(0, 700).Select(_ => Operands.Moderate(random, -1100, -1000)),
            .. Enumerable.Range(0, 700).Select(_ => Operands.Moderate(random, -152, -120)),
        ];
        byte[] memory = new byte[16];
        foreach (ushort controlWord in ControlWords.Extended)
        {
            foreach (Float80 a in values)
            {
                host.State.Scratch[..16].Fill(0x5A);
                host.Run(controlWord, a, Float80.One);
                memory.AsSpan().Fill(0x5A);
                X87Environment env = new(controlWord, 0);
                env.Begin();
                ours(a, memory, ref env);
                bool equal = host.State.Scratch[..16].SequenceEqual(memory);
                if ((!equal || env.StatusWord != host.Status) && differences.Count < 20)
                {
                    differences.Add($"cw {controlWord:X4} {a}: {Convert.ToHexString(memory)} {env.StatusWord:X4}, "
                        + $"host {Convert.ToHexString(host.State.Scratch[..16])} {host.Status:X4}");
                }
            }
        }

        differences.Should().BeEmpty();
    }

    private static void CompareLoad(Action<Assembler> instruction, Load ours, int size, int exponentBits)
    {
        HostProcessor.Require();
        using X87Host host = new(instruction);
        List<string> differences = [];
        Random random = new(9);
        byte[] memory = new byte[16];
        foreach (ushort controlWord in ControlWords.Extended)
        {
            for (int i = 0; i < 2000; i++)
            {
                random.NextBytes(memory);
                int edge = i % 8;
                int exponentMask = ((1 << exponentBits) - 1) << (15 - exponentBits);
                int top = BitConverter.ToUInt16(memory, size - 2);
                top = edge == 0 ? top & ~exponentMask : edge == 1 ? top | exponentMask : top;
                BitConverter.GetBytes((ushort)top).CopyTo(memory, size - 2);
                if (edge == 2)
                    memory.AsSpan(0, size - 2).Clear();
                if (i < 64 && size > 2)
                    memory.AsSpan(0, size - 1).Fill((byte)(i < 32 ? 0 : 0xFF));
                memory.CopyTo(host.State.Scratch);
                Float80 below = new(Untouched, 0x3FFF);
                host.Run(controlWord, below, Float80.One);
                X87Environment env = new(controlWord, 0);
                env.Begin();
                Float80 result = ours(memory, ref env);
                if (!env.IsMasked(env.Raised & X87Exceptions.Invalid))
                    result = below;
                if ((result != host.Stack(0) || env.StatusWord != host.Status) && differences.Count < 20)
                {
                    differences.Add($"cw {controlWord:X4} {Convert.ToHexString(memory.AsSpan(0, size))}: {result} {env.StatusWord:X4}, "
                        + $"host {host.Stack(0)} {host.Status:X4}");
                }
            }
        }

        differences.Should().BeEmpty();
    }
}
