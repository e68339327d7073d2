using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;
using Vmm.X86.Tests.Simd;
using Xunit.Abstractions;

namespace Vmm.X86.Tests.Vex;

/// <summary>A compiler's own use of AVX2, FMA and F16C: the same image, in the same memory, run by the host and by the core.</summary>
// SAFETY: the image is copied to executable memory of its own and touches only the buffer it is given and its stack.
public sealed unsafe class VectorizedProgramTests(ITestOutputHelper output)
{
    private const int StackLength = 1 << 16;
    private const ulong Rounds = 3;

    [SkippableFact]
    public void Compiled_program_leaves_what_it_leaves_on_the_host()
    {
        HostProcessor.Require();
        Skip.IfNot(Fma.IsSupported && Avx2.IsSupported && Bmi2.IsSupported,
            "native oracle: the host lacks AVX2, FMA or BMI2; run on a processor with them");
        byte[] image = VectorizedProgram.Compile();
        Mnemonics(image).Should().Contain([Mnemonic.Vfmadd231ps, Mnemonic.Vcvtps2ph, Mnemonic.Vgatherdps, Mnemonic.Vpgatherdd,
            Mnemonic.Vmaskmovps, Mnemonic.Vpsllvd]).And.HaveCountGreaterThan(80);
        using ExecutableMemory code = new((image.Length + 8191) & ~4095);
        image.CopyTo(code.Bytes);
        code.Bytes[image.Length] = 0xF4; // hlt: where the emulated call returns to
        byte* memory = (byte*)NativeMemory.AlignedAlloc(VectorizedProgram.MemoryLength + StackLength, 4096);
        try
        {
            Span<byte> block = new(memory, VectorizedProgram.MemoryLength);
            Fill(block);
            ulong used = ((delegate* unmanaged<byte*, ulong, ulong>)code.Address)(memory, Rounds);
            used.Should().BeLessThan(VectorizedProgram.MemoryLength);
            byte[] expected = block.ToArray();
            Fill(block);
            Emulate((ulong)code.Address, (ulong)image.Length, memory).Should().Be(used);
            int first = block.CommonPrefixLength(expected);
            first.Should().Be(block.Length, "memory must be equal to its end");
            block[..(int)used].Count((byte)0).Should().BeLessThan((int)used / 2);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    private ulong Emulate(ulong address, ulong length, byte* memory)
    {
        using IdentityProcessor processor = IdentityProcessor.WithAvx();
        VcpuState* s = processor.S;
        s->Rip = address;
        s->General[7] = (ulong)memory;
        s->General[6] = Rounds;
        s->General[4] = (ulong)memory + VectorizedProgram.MemoryLength + StackLength - 64 - 8;
        *(ulong*)s->General[4] = address + length;
        Stopwatch watch = Stopwatch.StartNew();
        processor.Execute(100_000_000).Should().Be(RunResult.Idle, $"vector {s->Fault.Vector} at 0x{s->Rip - address:X}");
        output.WriteLine($"{s->InstructionsRetired} instructions in {watch.ElapsedMilliseconds} ms");
        return s->General[0];
    }

    // Numbers of every size, none of them special: what they make of each other is enough of that.
    private static void Fill(Span<byte> memory)
    {
        Random random = new(3);
        random.NextBytes(memory);
        Span<float> floats = MemoryMarshal.Cast<byte, float>(memory)[..(7 * 1024)];
        for (int i = 0; i < floats.Length; i++)
            floats[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-8, 12)));
        Span<double> doubles = MemoryMarshal.Cast<byte, double>(memory).Slice(7 * 512, 4 * 1024);
        for (int i = 0; i < doubles.Length; i++)
            doubles[i] = (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-8, 12));
    }

    private static HashSet<Mnemonic> Mnemonics(byte[] image)
    {
        HashSet<Mnemonic> found = [];
        Decoder decoder = Decoder.Create(64, image);
        while (decoder.IP < (ulong)image.Length)
        {
            decoder.Decode(out Instruction instruction);
            if (instruction.Encoding == EncodingKind.VEX)
                found.Add(instruction.Mnemonic);
        }
        return found;
    }
}
