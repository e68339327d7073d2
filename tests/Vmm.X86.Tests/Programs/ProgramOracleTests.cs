using System.Globalization;
using System.Text;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.Execution;
using Vmm.X86.Tests.NativeOracle;
using Vmm.X86.Tests.Simd;
using Xunit.Abstractions;

namespace Vmm.X86.Tests.Programs;

/// <summary>
/// Whole programs, run block by block and by the host processor: what one instruction leaves for the next (flags not yet computed, pairs
/// joined
/// into one operation) must come out the same. <c>VMM_PROGRAMS</c> and <c>VMM_PROGRAM_SEED</c> choose how many and which.
/// </summary>
public sealed unsafe class ProgramOracleTests(ITestOutputHelper output)
{
    // AF is left undefined by too many instructions; single-instruction tests compare it.
    private const uint Compared = LazyFlags.Of | LazyFlags.Sf | LazyFlags.Zf | LazyFlags.Pf | LazyFlags.Cf | LazyFlags.Df;

    [SkippableFact]
    public void Program_leaves_what_the_host_leaves()
    {
        HostProcessor.Require();
        int first = Number("VMM_PROGRAM_SEED", 1), count = Number("VMM_PROGRAMS", 1500);
        StringBuilder failures = new();
        int failed = 0;
        long instructions = 0;
        using ProfiledProcessor processor = new();
        List<NativeState> blocks = [];
        NativeState native = Place(blocks), before = Place(blocks);
        for (int seed = first; seed < first + count && failed < 10; seed++)
        {
            OperandSource source = new(seed);
            List<byte[]> program = new ProgramSource(source.Random).Make(source.Random.Next(2, 60));
            Prepare(before, native, source);
            instructions += program.Count;
            if (Difference(program, processor, native, before) is not { } difference)
                continue;
            failed++;
            int shortest = 1;
            while (shortest < program.Count && Difference(program[..shortest], processor, native, before) is null)
                shortest++;
            failures.AppendLine(CultureInfo.InvariantCulture, $"VMM_PROGRAM_SEED={seed} VMM_PROGRAMS=1:{difference}");
            failures.AppendLine(CultureInfo.InvariantCulture,
                $"  its first {shortest} instructions:{Difference(program[..shortest], processor, native, before)}");
            foreach (byte[] bytes in program[Math.Max(0, shortest - 8)..shortest])
                failures.AppendLine(CultureInfo.InvariantCulture, $"    {Text(bytes)}");
        }
        foreach (NativeState block in blocks)
            block.Dispose();
        output.WriteLine($"{count} programs, {instructions} instructions, {failed} differences");
        failures.ToString().Should().BeEmpty();
    }

    // The processor shows one page of data: the memory of the program must lie in one.
    private static NativeState Place(List<NativeState> blocks)
    {
        do
            blocks.Add(new NativeState());
        while ((blocks[^1].ScratchAddress & 0xFFF) > 4096 - 512);
        return blocks[^1];
    }

    private static void Prepare(NativeState state, NativeState runs, OperandSource source)
    {
        state.Clear();
        for (int i = 0; i < 16; i++)
        {
            state.General[i] = (ulong)source.Random.NextInt64(long.MinValue, long.MaxValue) >> (source.Random.Next(4) * 16);
            source.Fill(state.Fxsave.Slice(160 + (16 * i), 16), source.Random.Next(4));
        }
        for (int i = 0; i < 32; i++)
            source.Fill(state.Scratch.Slice(16 * i, 16), source.Random.Next(4));
        int top = source.Random.Next(8), used = source.Random.Next(9);
        for (int i = 0; i < used; i++)
        {
            BitConverter.TryWriteBytes(state.Stack(i), (ulong)source.Random.NextInt64() | (1UL << 63));
            BitConverter.TryWriteBytes(state.Stack(i)[8..], (ushort)(source.Random.Next(0x3FF0, 0x4010) | (source.Random.Next(2) << 15)));
            state.AbridgedTags |= (byte)(1 << ((top + i) & 7));
        }
        state.StatusWord = (ushort)(top << 11);
        state.ControlWord = (ushort)(0x7F | (source.Random.Next(4) << 10) | (source.Random.Next(2) == 0 ? 0x300 : 0x200));
        BitConverter.TryWriteBytes(state.Fxsave[24..], source.MaskedControl());
        state.Flags = 2 | ((uint)source.Random.Next() & LazyFlags.Arithmetic);
        state.General[4] = 0;
        state.General[6] = (ulong)runs.ScratchAddress + 64;
        state.General[8] = (ulong)source.Random.Next(16);
    }

    private static string? Difference(List<byte[]> program, ProfiledProcessor processor, NativeState native, NativeState before)
    {
        byte[] code = [.. program.SelectMany(bytes => bytes)];
        using NativeInstruction instructions = new(code);
        before.Whole.CopyTo(native.Whole);
        instructions.Run(native);
        processor.Reset(code, before.General.ToArray(), before.Flags, (ulong)native.ScratchAddress, before.Scratch[..512].ToArray());
        VcpuState* s = processor.State;
        s->Cr0 |= Cr0Bits.NumericError;
        s->Cr4 |= Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions;
        processor.UpdateMode();
        Load(s, before);
        RunResult result = processor.Execute(10_000);
        if (result != RunResult.Idle)
            return $" ended as {result}, vector {s->Fault.Vector}, at offset 0x{s->Rip & 0xFFF:X}";
        StringBuilder text = new();
        for (int i = 0; i < 16; i++)
        {
            if (i != 4 && s->General[i] != native.General[i])
                text.Append(CultureInfo.InvariantCulture, $" r{i} {s->General[i]:X}, host {native.General[i]:X};");
            UInt128 vector = new(s->Vector[(i * 4) + 1], s->Vector[i * 4]),
                expected = BitConverter.ToUInt128(native.Fxsave[(160 + (16 * i))..]);
            if (vector != expected)
                text.Append(CultureInfo.InvariantCulture, $" xmm{i} {vector:X32}, host {expected:X32};");
        }
        if ((((uint)LazyFlags.Get(s) ^ (uint)native.Flags) & Compared) != 0)
            text.Append(CultureInfo.InvariantCulture, $" flags {LazyFlags.Get(s) & Compared:X}, host {native.Flags & Compared:X};");
        uint mxcsr = BitConverter.ToUInt32(native.Fxsave[24..]);
        if (s->Mxcsr != mxcsr)
            text.Append(CultureInfo.InvariantCulture, $" mxcsr {s->Mxcsr:X}, host {mxcsr:X};");
        CompareFpu(s, native, text);
        if (!processor.Scratch[..512].SequenceEqual(native.Scratch[..512]))
            text.Append(CultureInfo.InvariantCulture, $" memory from {processor.Scratch[..512].CommonPrefixLength(native.Scratch[..512])};");
        return text.Length == 0 ? null : text.ToString();
    }

    private static void Load(VcpuState* s, NativeState state)
    {
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

    private static void CompareFpu(VcpuState* s, NativeState host, StringBuilder text)
    {
        const int Defined = 0x3AFF; // C0, C2 and C3 mean something after few instructions only
        if (((s->FpuStatus ^ host.StatusWord) & Defined) != 0 || (byte)s->FpuTags != host.AbridgedTags || s->FpuControl != host.ControlWord)
            text.Append(CultureInfo.InvariantCulture, $" fsw {s->FpuStatus:X} tags {s->FpuTags:X}, host {host.StatusWord:X} {host.AbridgedTags:X};");
        int top = (host.StatusWord >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (i + top) & 7;
            if ((host.AbridgedTags & (1 << physical)) != 0
                && (s->Fpu[physical * 2] != host.StackSignificand(i) || (ushort)s->Fpu[(physical * 2) + 1] != host.StackSignExponent(i)))
                text.Append(CultureInfo.InvariantCulture, $" st{i} {s->Fpu[(physical * 2) + 1]:X}.{s->Fpu[physical * 2]:X}, host {host.StackSignExponent(i):X}.{host.StackSignificand(i):X};");
        }
    }

    private static string Text(byte[] bytes)
    {
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(64, bytes);
        decoder.Decode(out Instruction instruction);
        return $"{Convert.ToHexString(bytes)}  {instruction}";
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
