using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.Execution;

/// <summary>
/// Random runs of register instructions with short forward branches, against the host: here pairs are fused and flags that nobody reads are
/// never
/// made. Each run is executed as a block, instruction by instruction, and stopped once in the middle by the budget.
/// </summary>
public sealed unsafe class SequenceOracleTests
{
    // OF and AF stay out: shifts by more than one and logic leave them undefined, which a later reader would show.
    private const uint Compared = LazyFlags.Cf | LazyFlags.Zf | LazyFlags.Sf | LazyFlags.Pf;

    private static readonly string[] s_conditions = ["72", "73", "74", "75", "76", "77", "78", "79", "7A", "7B"];

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sequence_does_what_the_host_does(int seed)
    {
        HostProcessor.Require();
        Random random = new(seed);
        using ProfiledProcessor cpu = new();
        using NativeState native = new();
        for (int sequence = 0; sequence < 250; sequence++)
        {
            (byte[] code, string text) = Make(random);
            using NativeInstruction instruction = new(code);
            for (int round = 0; round < 4; round++)
            {
                native.Clear();
                for (int i = 0; i < 16; i++)
                    native.General[i] = random.Next(4) == 0 ? (ulong)random.Next(3) : (ulong)random.NextInt64(long.MinValue, long.MaxValue);
                native.General[4] = 0;
                native.Flags = 2 | ((uint)random.Next() & LazyFlags.Arithmetic);
                ulong flags = native.Flags;
                ulong[] before = native.General.ToArray();
                byte[] scratch = native.Scratch.ToArray();
                instruction.Run(native);
                for (int way = 0; way < 3; way++)
                {
                    cpu.Reset(code, before, flags, (ulong)native.ScratchAddress, scratch);
                    if (way == 1)
                    {
                        while (cpu.ExecuteOne() == RunResult.Done)
                        {
                        }
                    }
                    else
                    {
                        if (way == 2)
                            cpu.Execute((ulong)random.Next(1, 8));
                        if (cpu.State->Activity == Activity.Running)
                            cpu.Execute(1000);
                    }
                    cpu.State->Activity.Should().Be(Activity.Halted);
                    for (int i = 0; i < 16; i++)
                    {
                        if (i != 4 && cpu.State->General[i] != native.General[i])
                            Assert.Fail($"{text}\nway {way}: register {i} is {cpu.State->General[i]:X}, "
                                + $"the host has {native.General[i]:X}, it was {before[i]:X}");
                    }
                    if ((((uint)LazyFlags.Get(cpu.State) ^ (uint)native.Flags) & Compared) != 0)
                        Assert.Fail($"{text}\nway {way}: flags are {LazyFlags.Get(cpu.State) & Compared:X}, "
                            + $"the host has {native.Flags & Compared:X}");
                }
            }
        }
    }

    private static (byte[] Code, string Text) Make(Random random)
    {
        List<byte> code = [];
        List<string> text = [];
        int length = random.Next(4, 14);
        for (int n = 0; n < length; n++)
        {
            (byte[] bytes, string what) = One(random);
            if (random.Next(5) == 0)
            {
                byte condition = Convert.FromHexString(s_conditions[random.Next(s_conditions.Length)])[0];
                code.AddRange([condition, (byte)bytes.Length]);
                text.Add($"j{condition:X} over");
            }
            code.AddRange(bytes);
            text.Add(what);
        }
        return ([.. code], string.Join('\n', text));
    }

    // Registers RAX, RCX, RDX, RBX only, so that moves and operations meet often.
    private static (byte[] Bytes, string Text) One(Random random)
    {
        int to = random.Next(4), from = random.Next(4);
        bool wide = random.Next(2) == 0;
        byte modrm = (byte)(0xC0 | (from << 3) | to);
        byte[] body = random.Next(12) switch
        {
            0 or 1 or 2 => [0x89, modrm], // mov
            3 => [(byte)(0x01 + (8 * random.Next(8))), modrm], // add or adc sbb and sub xor cmp
            4 => [0x83, (byte)(0xC0 | (random.Next(8) << 3) | to), (byte)random.Next(256)],
            5 => [0x85, modrm], // test
            6 => [0xC1, (byte)(0xC0 | (random.Next(6) switch { 0 => 0, 1 => 1, 2 => 4, 3 => 5, 4 => 7, _ =>
                4 } << 3) | to), (byte)random.Next(1, 31)],
            7 => [0xFF, (byte)(0xC0 | (random.Next(2) << 3) | to)], // inc dec
            8 => [0xF7, (byte)(0xC0 | (random.Next(2, 4) << 3) | to)], // not neg
            9 => [0x0F, (byte)(0x42 + random.Next(10)), (byte)(0xC0 | (to << 3) | from)], // cmov without OF
            10 => [0x0F, (byte)(0x92 + random.Next(10)), (byte)(0xC0 | to)], // setcc without OF
            _ => [0x0F, 0xB6, (byte)(0xC0 | (to << 3) | from)], // movzx
        };
        byte[] bytes = wide ? [0x48, .. body] : body;
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.Decode(out Instruction instruction);
        return (bytes, $"{instruction} [{Convert.ToHexString(bytes)}]");
    }
}
