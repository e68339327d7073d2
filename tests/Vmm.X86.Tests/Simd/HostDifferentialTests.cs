using System.Globalization;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;
using Xunit.Abstractions;

namespace Vmm.X86.Tests.Simd;

/// <summary>Every MMX and SSE encoding against the host's own unit: registers, MXCSR, RFLAGS, x87 tags and memory.</summary>
// SAFETY: the pointers are the processor's state block and oracle blocks owned by the test.
public sealed unsafe class HostDifferentialTests(ITestOutputHelper output)
{
    private const ulong StatusFlags = 0x8D5;

    /// <summary>Set VMM_SIMD_ROUNDS for more operands.</summary>
    internal static int Rounds { get; } =
        int.Parse(Environment.GetEnvironmentVariable("VMM_SIMD_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    [SkippableFact]
    public void Every_encoding_gives_what_the_host_gives()
    {
        HostProcessor.Require();
        StringBuilder failures = new();
        int codes = 0, runs = 0, failed = 0;
        OperandSource source = new(20261122);
        using NativeState state = new();
        using NativeState before = new();
        using IdentityProcessor processor = new();
        foreach (Code code in SimdEncodings.All)
        {
            if (!Sse.IsSupported && code.Mnemonic() is (Mnemonic.Rcpps or Mnemonic.Rcpss or Mnemonic.Rsqrtps or Mnemonic.Rsqrtss))
                continue; // only the error bound is architectural, and the core has no such unit to ask
            codes++;
            if (InstructionTable.Instance[code] == null)
            {
                failures.AppendLine(CultureInfo.InvariantCulture, $"{code}: no handler");
                failed++;
                continue;
            }
            bool floats = code.ToOpCode().MemorySize.ToString().Contains("Float", StringComparison.Ordinal)
                || code.Mnemonic().ToString().StartsWith("Cvt", StringComparison.Ordinal);
            int reported = 0;
            foreach (Instruction form in SimdEncodings.Forms(code, source.Random))
            {
                using NativeInstruction native = new(a => a.AddInstruction(form));
                Instruction decoded = processor.Place(form);
                int operands = (floats ? 400 : 60) * Rounds / (code.ToOpCode().OpCount > 2 ? 8 : 1);
                for (int n = 0; n < operands; n++)
                {
                    runs++;
                    string? difference = RunBoth(decoded, native, state, before, processor, source, floats);
                    if (difference != null)
                    {
                        failed++;
                        if (reported++ < 3)
                            failures.AppendLine(CultureInfo.InvariantCulture, $"{form}: {difference}");
                    }
                }
            }
        }
        output.WriteLine($"{codes} encodings, {runs} comparisons, {failed} differences");
        failures.ToString().Should().BeEmpty();
    }

    private static string? RunBoth(Instruction form, NativeInstruction native, NativeState state, NativeState before,
        IdentityProcessor processor, OperandSource source, bool floats)
    {
        Prepare(form, state, source, floats);
        Copy(state, before);
        native.Run(state);
        VcpuState* s = processor.S;
        Load(s, before);
        Span<byte> expectedMemory = stackalloc byte[64];
        state.Scratch[..64].CopyTo(expectedMemory);
        before.Scratch[..64].CopyTo(state.Scratch);
        Instruction decoded = form;
        Outcome outcome = InstructionTable.Instance[form.Code](processor, s, &decoded);
        string? difference = outcome != Outcome.Next
            ? $"ended as {outcome}, vector {s->Fault.Vector}"
            : Compare(s, state, before, expectedMemory);
        if (difference != null)
            return difference;

        // Again as a block does it, perhaps in a compact form.
        Load(s, before);
        before.Scratch[..64].CopyTo(state.Scratch);
        s->Rip = form.IP;
        RunResult result = processor.ExecuteOne();
        if (result != RunResult.Done || s->Rip != form.NextIP)
            return $"in a block: {result}, vector {s->Fault.Vector}, RIP {s->Rip:X}";
        difference = Compare(s, state, before, expectedMemory);
        return difference == null ? null : "in a block:" + difference;
    }

    private static void Copy(NativeState from, NativeState to)
    {
        from.General.CopyTo(to.General);
        to.Flags = from.Flags;
        from.Fxsave.CopyTo(to.Fxsave);
        from.Scratch.CopyTo(to.Scratch);
    }

    private static void Prepare(Instruction form, NativeState state, OperandSource source, bool floats)
    {
        state.Clear();
        int kind = source.Random.Next(floats ? 2 : 4);
        if (floats && form.Code.ToOpCode().MemorySize.ToString() is { } size && source.Random.Next(10) != 0)
            kind = size.Contains("Float64", StringComparison.Ordinal) ? 0 : size.Contains("Float32", StringComparison.Ordinal) ? 1 : 2;
        for (int i = 0; i < 16; i++)
        {
            source.Fill(state.Fxsave.Slice(160 + (16 * i), 16), kind);
            state.General[i] = (ulong)source.Random.NextInt64(long.MinValue, long.MaxValue) >> (source.Random.Next(3) * 24);
        }
        for (int i = 0; i < 4; i++)
            source.Fill(state.Scratch.Slice(16 * i, 16), kind);
        Span<byte> element = stackalloc byte[16];
        for (int i = 0; i < 8; i++)
        {
            source.Fill(element, kind);
            element[..8].CopyTo(state.Stack(i));
            state.Stack(i)[8] = (byte)source.Random.Next(256);
            state.Stack(i)[9] = (byte)source.Random.Next(256);
        }
        state.StatusWord = (ushort)(source.Random.Next(8) << 11);
        state.AbridgedTags = (byte)source.Random.Next(256);
        uint control = source.MaskedControl();
        BitConverter.TryWriteBytes(state.Fxsave[24..], control);
        state.Flags = 2 | ((ulong)source.Random.Next(0x1000) & StatusFlags);
        state.General[3] = (ulong)state.ScratchAddress;
        state.General[7] = (ulong)state.ScratchAddress + (ulong)source.Random.Next(32);
        if (form.Mnemonic is Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64)
        {
            state.General[0] = (ulong)source.Random.Next(-20, 20);
            state.General[2] = (ulong)source.Random.Next(-20, 20);
        }
        if (form.Mnemonic == Mnemonic.Ldmxcsr)
            BitConverter.TryWriteBytes(state.Scratch[32..], source.MaskedControl());
        if (form.Code.ToOpCode().GetOpKind(0) == OpCodeOperandKind.xmm_reg && source.Random.Next(4) == 0)
            state.Fxsave.Slice(160, 16).CopyTo(state.Fxsave.Slice(160 + (16 * source.Random.Next(16)), 16)); // equal operands
    }

    private static void Load(VcpuState* s, NativeState state)
    {
        for (int i = 0; i < 16; i++)
            s->General[i] = state.General[i];
        LazyFlags.Set(s, state.Flags);
        int top = (state.StatusWord >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (i + top) & 7;
            s->Fpu[physical * 2] = state.StackSignificand(i);
            s->Fpu[(physical * 2) + 1] = state.StackSignExponent(i);
        }
        s->FpuControl = state.ControlWord;
        s->FpuStatus = state.StatusWord;
        s->FpuTags = state.AbridgedTags;
        s->Mxcsr = BitConverter.ToUInt32(state.Fxsave[24..]);
        for (int i = 0; i < 16; i++)
        {
            s->Vector[i * 4] = BitConverter.ToUInt64(state.Fxsave[(160 + (16 * i))..]);
            s->Vector[(i * 4) + 1] = BitConverter.ToUInt64(state.Fxsave[(168 + (16 * i))..]);
        }
    }

    private static string? Compare(VcpuState* s, NativeState host, NativeState before, ReadOnlySpan<byte> expectedMemory)
    {
        StringBuilder text = new();
        for (int i = 0; i < 16; i++)
        {
            UInt128 expected = BitConverter.ToUInt128(host.Fxsave[(160 + (16 * i))..]);
            UInt128 actual = new(s->Vector[(i * 4) + 1], s->Vector[i * 4]);
            if (expected != actual)
                text.Append(CultureInfo.InvariantCulture, $" xmm{i} {actual:X32}, host {expected:X32};");
            if (i != 4 && s->General[i] != host.General[i])
                text.Append(CultureInfo.InvariantCulture, $" r{i} {s->General[i]:X}, host {host.General[i]:X};");
        }
        uint mxcsr = BitConverter.ToUInt32(host.Fxsave[24..]);
        if (s->Mxcsr != mxcsr)
            text.Append(CultureInfo.InvariantCulture, $" mxcsr {s->Mxcsr:X}, host {mxcsr:X};");
        if ((LazyFlags.Get(s) & StatusFlags) != (host.Flags & StatusFlags))
            text.Append(CultureInfo.InvariantCulture, $" flags {LazyFlags.Get(s):X}, host {host.Flags:X};");
        CompareFpu(s, host, text);
        Span<byte> memory = host.Scratch[..64];
        if (!memory.SequenceEqual(expectedMemory))
            text.Append(CultureInfo.InvariantCulture,
                $" memory {Convert.ToHexString(memory)}, host {Convert.ToHexString(expectedMemory)};");
        if (text.Length == 0)
            return null;
        text.Append(CultureInfo.InvariantCulture, $" before: mxcsr {BitConverter.ToUInt32(before.Fxsave[24..]):X}");
        for (int i = 0; i < 16; i++)
            text.Append(CultureInfo.InvariantCulture, $" x{i}={BitConverter.ToUInt128(before.Fxsave[(160 + (16 * i))..]):X32}");
        text.Append(CultureInfo.InvariantCulture, $" memory {Convert.ToHexString(before.Scratch[32..48])}");
        return text.ToString();
    }

    private static void CompareFpu(VcpuState* s, NativeState host, StringBuilder text)
    {
        if (s->FpuStatus != host.StatusWord || (byte)s->FpuTags != host.AbridgedTags)
            text.Append(CultureInfo.InvariantCulture,
                $" fsw {s->FpuStatus:X} tags {s->FpuTags:X}, host {host.StatusWord:X} {host.AbridgedTags:X};");
        int top = (host.StatusWord >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (i + top) & 7;
            if (s->Fpu[physical * 2] != host.StackSignificand(i) || (ushort)s->Fpu[(physical * 2) + 1] != host.StackSignExponent(i))
                text.Append(CultureInfo.InvariantCulture, $" mm{physical} {s->Fpu[physical * 2]:X}, host {host.StackSignificand(i):X};");
        }
    }
}
