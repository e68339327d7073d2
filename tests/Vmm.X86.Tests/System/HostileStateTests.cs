using Iced.Intel;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>
/// Privileged instructions on descriptor tables, stacks and registers of noise: whatever the guest does ends in an outcome.
/// </summary>
public sealed unsafe class HostileStateTests
{
    private static readonly byte[][] s_openings =
    [
        [0x0F, 0x00], [0x0F, 0x01], [0x0F, 0x02], [0x0F, 0x03], [0x0F, 0x05], [0x0F, 0x06], [0x0F, 0x07], [0x0F, 0x20],
        [0x0F, 0x21], [0x0F, 0x22], [0x0F, 0x23], [0x0F, 0x30], [0x0F, 0x32], [0x0F, 0x34], [0x0F, 0x35], [0x0F, 0xA0],
        [0x0F, 0xA1], [0x0F, 0xA2], [0x0F, 0xA9], [0x0F, 0xAE], [0x0F, 0xB2], [0x0F, 0xB4], [0x0F, 0xC7], [0x06], [0x07], [0x17],
        [0x1F], [0x62], [0x63], [0x6C], [0x6D], [0x6E], [0x6F], [0x8C], [0x8E], [0x9A], [0x9D], [0xC4], [0xC5], [0xCA], [0xCB],
        [0xCC], [0xCD], [0xCE], [0xCF], [0xE4], [0xEA], [0xEC], [0xF1], [0xF4], [0xFA], [0xFB], [0xFF],
    ];

    [Fact]
    public void Any_privileged_instruction_in_any_state_ends_in_an_outcome()
    {
        Random random = new(20);
        HashSet<Outcome> seen = [];
        using TestProcessor real = new(), protectedMode = Scene.Protected(), longMode = Scene.Long();
        TestProcessor[] processors = [real, protectedMode, longMode];
        for (int round = 0; round < 60_000; round++)
        {
            TestProcessor cpu = processors[round % 3];
            if (round % 64 < 3)
                Restore(cpu, round % 3, random);
            VcpuState* s = cpu.S;
            for (int i = 0; i < 16; i++)
                s->General[i] = random.Next(4) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(0x8000);
            byte[] opening = s_openings[random.Next(s_openings.Length)];
            byte[] bytes = new byte[15];
            random.NextBytes(bytes);
            int at = 0;
            if (random.Next(4) == 0)
                bytes[at++] = (byte)(random.Next(2) == 0 ? 0x66 : cpu.Is64Bit ? 0x48 : 0x67);
            opening.CopyTo(bytes, at);
            int bits = (s->Mode & ExecutionMode.CodeSizeMask) switch { ExecutionMode.Code16 => 16, ExecutionMode.Code32 => 32, _ => 64 };
            Decoder decoder = Decoder.Create(bits, new ByteArrayCodeReader(bytes), s->Rip);
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid)
                continue;

            Outcome outcome = cpu.Run(bytes);
            seen.Add(outcome);
            Enum.IsDefined(outcome).Should().BeTrue();
            if (outcome == Outcome.Exit)
            {
                cpu.WithdrawRequest();
                cpu.ClearAnswers();
            }
            else if (outcome == Outcome.Fault)
            {
                cpu.QueueFault();
                if (cpu.DeliverEvent() == Outcome.Exit)
                {
                    cpu.WithdrawRequest();
                    s->Event = default;
                }
            }
            s->Cpl.Should().BeLessThan(4);
            if (s->Activity != Activity.Running)
                Restore(cpu, round % 3, random);
        }
        seen.Should().Contain([Outcome.Next, Outcome.NextBlock, Outcome.Branch, Outcome.Fault, Outcome.Exit]);
    }

    private static ulong RandomGate(Random random, uint type, uint dpl) =>
        Scene.GateOf((ushort)(random.Next(64) * 8), (uint)random.Next(0x8000), type, dpl);

    // Tables of mostly valid shapes, so that the checks are passed often enough to get behind them.
    private static void Restore(TestProcessor cpu, int kind, Random random)
    {
        cpu.ResetState(ResetKind.PowerOn);
        VcpuState* s = cpu.S;
        for (ulong i = 1; i < 64; i++)
        {
            ulong descriptor = (ulong)random.NextInt64();
            if (random.Next(3) != 0)
                descriptor = (descriptor & 0x0060_7F00_00FF_FFFF) | 0x000F_8000_0000_FFFF;
            if (random.Next(3) == 0)
                descriptor = RandomGate(random, (uint)random.Next(16), (uint)random.Next(4));
            cpu.Poke64(Scene.Gdt + (8 * i), descriptor);
        }
        for (ulong i = 0; i < 512; i++)
            cpu.Poke64(Scene.Idt + (8 * i), RandomGate(random, (uint)random.Next(4, 16), 3));
        s->Gdtr = new TableRegister { Base = Scene.Gdt, Limit = 0x1FF };
        s->Idtr = new TableRegister { Base = kind == 0 ? 0 : Scene.Idt, Limit = 0xFFF };
        cpu.Segment(SegmentIndex.Tr) = new SegmentRegister { Selector = 0x28, Base = Scene.Tss, Limit = 0x67, Attributes = 0x8B };
        if (kind != 0)
        {
            s->Cr0 = kind == 1 ? 0x11UL : 0x8000_0011;
            s->Cr4 = kind == 1 ? 0UL : 0x20;
            s->Efer = kind == 1 ? 0UL : 0xD01;
            s->Cr3 = Scene.PageTables;
            cpu.Poke64(Scene.PageTables, Scene.PageTables + 0x1007);
            cpu.Poke64(Scene.PageTables + 0x1000, Scene.PageTables + 0x2007);
            cpu.Poke64(Scene.PageTables + 0x2000, 0x87);
            uint level = (uint)random.Next(4);
            for (int i = 0; i < 6; i++)
            {
                uint type = i == SegmentIndex.Cs ? kind == 1 ? 0x409BU : 0x209B : 0x4093;
                uint rights = type | (level << 5) | 0x8000;
                cpu.Segment(i) = new SegmentRegister { Selector = (ushort)level, Limit = uint.MaxValue, Attributes = rights };
            }
            s->Cpl = level;
        }
        s->Rip = 0x100;
        LazyFlags.Set(s, (ulong)random.Next(0x8000));
        cpu.UpdateMode();
    }
}
