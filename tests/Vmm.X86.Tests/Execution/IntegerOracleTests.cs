using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.Execution;

/// <summary>
/// Every integer instruction form of 64-bit code that the host can run, with random operands, against the host processor. Each runs once in
/// a
/// block and once by itself; registers, defined flags and memory must agree.
/// </summary>
public sealed unsafe class IntegerOracleTests
{
    private const uint Compared = LazyFlags.Arithmetic | LazyFlags.Df;

    private static readonly ulong[] s_edges =
    [
        0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF,
            0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0000, ulong.MaxValue,
    ];

    public static TheoryData<string> Groups => new(IntegerForms.Names);

    [SkippableTheory]
    [MemberData(nameof(Groups))]
    public void Instruction_does_what_the_host_does(string group)
    {
        HostProcessor.Require();
        Random random = new(group.Length * 7919);
        using ProfiledProcessor cpu = new();
        using NativeState native = new();
        int run = 0;
        foreach (IntegerForm form in IntegerForms.Of(group))
        {
            using NativeInstruction instruction = new(form.Bytes);
            for (int round = 0; round < form.Rounds; round++)
            {
                ulong memoryAddress = (ulong)native.ScratchAddress + 512;
                native.Clear();
                for (int i = 0; i < 16; i++)
                    native.General[i] = random.Next(3) == 0 ? s_edges[random.Next(s_edges.Length)]
                        : (ulong)random.NextInt64(long.MinValue, long.MaxValue);
                random.NextBytes(native.Scratch);
                for (int i = 0; group == "divide" && i < native.Scratch.Length; i++)
                    native.Scratch[i] |= 1; // no divisor of zero
                native.Flags = 2 | ((uint)random.Next() & (LazyFlags.Arithmetic | (group == "string" ? LazyFlags.Df : 0)));
                form.Prepare(native.General, memoryAddress, random);
                native.General[4] = 0;
                ulong flags = native.Flags;
                ulong[] before = native.General.ToArray();
                byte[] scratch = native.Scratch.ToArray();
                instruction.Run(native);
                for (int way = 0; way < 2; way++)
                {
                    cpu.Reset(form.Bytes, before, flags, (ulong)native.ScratchAddress, scratch);
                    RunResult result = way == 0 ? cpu.Execute(1000) : cpu.Step();
                    string what = $"{form.Text} [{Convert.ToHexString(form.Bytes)}] round {round} way {way}";
                    result.Should().Be(way == 0 ? RunResult.Idle : RunResult.Done, what);
                    for (int i = 0; i < 16; i++)
                    {
                        if (i != 4 && cpu.State->General[i] != native.General[i])
                            Assert.Fail($"{what}: register {i} is {cpu.State->General[i]:X}, "
                                + $"the host has {native.General[i]:X}, it was {before[i]:X};"
                                + $" rax {before[0]:X} rcx {before[1]:X} rdx {before[2]:X} rbx {before[3]:X}");
                    }
                    uint mask = Compared & ~form.Undefined(before);
                    if ((((uint)LazyFlags.Get(cpu.State) ^ (uint)native.Flags) & mask) != 0)
                        Assert.Fail($"{what}: flags are {LazyFlags.Get(cpu.State) & mask:X}, "
                            + $"the host has {native.Flags & mask:X}, were {flags:X};"
                            + $" rax {before[0]:X} rcx {before[1]:X} rdx {before[2]:X} rbx {before[3]:X}");
                    if (!cpu.Scratch.SequenceEqual(native.Scratch))
                        Assert.Fail($"{what}: memory differs");
                    run++;
                }
            }
        }
        run.Should().BePositive();
    }
}
