using System.Globalization;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;
using Vmm.X86.Tests.Simd;
using Xunit.Abstractions;

namespace Vmm.X86.Tests.Vex;

/// <summary>
/// Every VEX encoding of AVX, AVX2, FMA and F16C against the host's own unit: YMM and general registers, MXCSR, RFLAGS, memory.
/// </summary>
// SAFETY: the pointers are the processor's state block and oracle blocks owned by the test.
public sealed unsafe class VexDifferentialTests(ITestOutputHelper output)
{
    private const ulong StatusFlags = 0x8D5;

    [SkippableFact]
    public void Every_encoding_gives_what_the_host_gives()
    {
        HostProcessor.Require();
        Skip.IfNot(Avx2.IsSupported && Fma.IsSupported && Aes.IsSupported,
            "native oracle: the host lacks AVX2, FMA or AES; run on a processor with them");
        StringBuilder failures = new();
        int runs = 0, failed = 0;
        OperandSource source = new(20261123);
        using NativeState state = new();
        using NativeState before = new();
        using IdentityProcessor processor = IdentityProcessor.WithAvx();
        foreach (Code code in VexEncodings.All)
        {
            if (InstructionTable.Instance[code] == null)
            {
                failures.AppendLine(CultureInfo.InvariantCulture, $"{code}: no handler");
                failed++;
                continue;
            }
            int reported = 0;
            bool floats = VexEncodings.IsFloat(code);
            foreach (Instruction form in VexEncodings.Forms(code, source.Random))
            {
                using NativeInstruction native = new(a => a.AddInstruction(form), true);
                Instruction decoded = processor.Place(form);
                int operands = (floats ? 64 : 16) * HostDifferentialTests.Rounds / (code.ToOpCode().OpCount > 3 ? 8 : 1);
                for (int n = 0; n < operands; n++)
                {
                    runs++;
                    string? difference = RunBoth(decoded, native, state, before, processor, source, floats);
                    if (difference == null)
                        continue;
                    failed++;
                    if (reported++ < 2)
                        failures.AppendLine(CultureInfo.InvariantCulture, $"{form}: {difference}");
                }
            }
        }
        output.WriteLine($"{VexEncodings.All.Length} encodings, {runs} comparisons, {failed} differences");
        failures.ToString().Should().BeEmpty();
    }

    private static string? RunBoth(Instruction form, NativeInstruction native, NativeState state, NativeState before,
        IdentityProcessor processor, OperandSource source, bool floats)
    {
        Prepare(form, state, source, floats);
        state.Whole.CopyTo(before.Whole);
        native.Run(state);
        byte[] expectedMemory = state.Scratch[..VexEncodings.MemoryLength].ToArray();
        for (int pass = 0; pass < 2; pass++)
        {
            Load(processor.S, before);
            before.Scratch.CopyTo(state.Scratch);
            string? difference = pass == 0 ? RunTable(processor, form) : RunBlock(processor, form);
            difference ??= Compare(processor.S, state, before, expectedMemory);
            if (difference != null)
                return (pass == 0 ? string.Empty : "in a block: ") + difference;
        }
        return null;
    }

    private static string? RunTable(IdentityProcessor processor, Instruction form)
    {
        Outcome outcome = InstructionTable.Instance[form.Code](processor, processor.S, &form);
        return outcome == Outcome.Next ? null : $"ended as {outcome}, vector {processor.S->Fault.Vector}";
    }

    private static string? RunBlock(IdentityProcessor processor, Instruction form)
    {
        processor.S->Rip = form.IP;
        RunResult result = processor.ExecuteOne();
        return result == RunResult.Done && processor.S->Rip == form.NextIP ? null
            : $"{result}, vector {processor.S->Fault.Vector}, RIP {processor.S->Rip:X}";
    }

    private static void Prepare(Instruction form, NativeState state, OperandSource source, bool floats)
    {
        state.Clear();
        int kind = source.Random.Next(floats ? 2 : 4);
        if (floats && form.Code.ToOpCode().MemorySize.ToString() is { } size && source.Random.Next(10) != 0)
            kind = size.Contains("Float64", StringComparison.Ordinal) ? 0 : size.Contains("Float32", StringComparison.Ordinal) ? 1 : 2;
        for (int i = 0; i < 32; i++)
            source.Fill(state.Vectors.Slice(16 * i, 16), kind);
        for (int i = 0; i < 16; i++)
            state.General[i] = (ulong)source.Random.NextInt64(long.MinValue, long.MaxValue) >> (source.Random.Next(3) * 24);
        for (int i = 0; i < VexEncodings.MemoryLength / 16; i++)
            source.Fill(state.Scratch.Slice(16 * i, 16), kind);
        BitConverter.TryWriteBytes(state.Fxsave[24..], source.MaskedControl());
        state.Flags = 2 | ((ulong)source.Random.Next(0x1000) & StatusFlags);
        state.General[3] = (ulong)state.ScratchAddress;
        state.General[7] = (ulong)state.ScratchAddress + (ulong)source.Random.Next(32);
        if (form.Mnemonic is Mnemonic.Vpcmpestri or Mnemonic.Vpcmpestri64 or Mnemonic.Vpcmpestrm or Mnemonic.Vpcmpestrm64)
        {
            state.General[0] = (ulong)source.Random.Next(-20, 20);
            state.General[2] = (ulong)source.Random.Next(-20, 20);
        }
        if (form.Mnemonic == Mnemonic.Vldmxcsr)
            BitConverter.TryWriteBytes(state.Scratch[(int)form.MemoryDisplacement32..], source.MaskedControl());
        if (source.Random.Next(4) == 0)
            state.Vectors[..32].CopyTo(state.Vectors.Slice(32 * source.Random.Next(1, 16), 32)); // equal operands
        if (VexEncodings.IsGather(form.Code))
            PrepareIndices(form, state, source.Random);
    }

    private static void PrepareIndices(Instruction form, NativeState state, Random random)
    {
        Span<byte> indices = state.Vectors.Slice(form.MemoryIndex.GetNumber() * 32, 32);
        bool quadwords = form.Code.ToOpCode().GetOpKind(1).ToString().Contains("64", StringComparison.Ordinal);
        for (int i = 0; i < (quadwords ? 4 : 8); i++)
        {
            int index = random.Next(-4, 8);
            if (quadwords)
                BitConverter.TryWriteBytes(indices[(8 * i)..], (long)index);
            else
                BitConverter.TryWriteBytes(indices[(4 * i)..], index);
        }
    }

    private static void Load(VcpuState* s, NativeState state)
    {
        for (int i = 0; i < 16; i++)
            s->General[i] = state.General[i];
        LazyFlags.Set(s, state.Flags);
        s->Mxcsr = BitConverter.ToUInt32(state.Fxsave[24..]);
        state.Vectors.CopyTo(new Span<byte>(&s->Vector[0], 512));
    }

    private static string? Compare(VcpuState* s, NativeState host, NativeState before, byte[] expectedMemory)
    {
        StringBuilder text = new();
        for (int i = 0; i < 16; i++)
        {
            string expected = Vector(host.Vectors, i), actual = Vector(new Span<byte>(&s->Vector[0], 512), i);
            if (expected != actual)
                text.Append(CultureInfo.InvariantCulture, $" ymm{i} {actual}, host {expected};");
            if (i != 4 && s->General[i] != host.General[i])
                text.Append(CultureInfo.InvariantCulture, $" r{i} {s->General[i]:X}, host {host.General[i]:X};");
        }
        uint mxcsr = BitConverter.ToUInt32(host.Fxsave[24..]);
        if (s->Mxcsr != mxcsr)
            text.Append(CultureInfo.InvariantCulture, $" mxcsr {s->Mxcsr:X}, host {mxcsr:X};");
        if ((LazyFlags.Get(s) & StatusFlags) != (host.Flags & StatusFlags))
            text.Append(CultureInfo.InvariantCulture, $" flags {LazyFlags.Get(s):X}, host {host.Flags:X};");
        Span<byte> memory = host.Scratch[..VexEncodings.MemoryLength];
        if (!memory.SequenceEqual(expectedMemory))
            text.Append(CultureInfo.InvariantCulture,
                $" memory {Convert.ToHexString(memory)}, host {Convert.ToHexString(expectedMemory)};");
        if (text.Length == 0)
            return null;
        text.Append(CultureInfo.InvariantCulture, $" before: mxcsr {BitConverter.ToUInt32(before.Fxsave[24..]):X}");
        for (int i = 0; i < 16; i++)
            text.Append(CultureInfo.InvariantCulture, $" y{i}={Vector(before.Vectors, i)}");
        text.Append(CultureInfo.InvariantCulture, $" memory {Convert.ToHexString(before.Scratch[32..96])}");
        return text.ToString();
    }

    private static string Vector(ReadOnlySpan<byte> registers, int i) => string.Create(CultureInfo.InvariantCulture,
        $"{BitConverter.ToUInt128(registers[((32 * i) + 16)..]):X32}_{BitConverter.ToUInt128(registers[(32 * i)..]):X32}");
}
