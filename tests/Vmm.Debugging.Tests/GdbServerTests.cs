using System.Globalization;
using System.Text;
using Iced.Intel;
using Vmm.Machines;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Debugging.Tests;

public sealed class GdbServerTests
{
    private const uint Code = DebuggedMachine.Code, Data = DebuggedMachine.Data;

    // 0x200000 mov; 0x200005 inc; 0x200007 mov [rcx]; 0x200009 inc; 0x20000b mov al, 0x2a; 0x20000d out; 0x20000f jmp
    private static void Guest(Assembler a)
    {
        a.mov(ecx, Data);
        a.inc(ebx);
        a.mov(__dword_ptr[rcx], ebx);
        a.inc(ebx);
        a.mov(al, 0x2A);
        a.@out((byte)DebuggedMachine.ExitPort, al);
        Label self = a.CreateLabel();
        a.Label(ref self);
        a.jmp(self);
    }

    private static void Endless(Assembler a)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.inc(rbx);
        a.jmp(again);
    }

    [Fact]
    public void Guest_waits_at_its_first_instruction_and_its_end_is_told()
    {
        using DebuggedMachine machine = new(Guest);
        using GdbClient gdb = machine.Connect();
        gdb.Ask("qSupported:swbreak+;hwbreak+").Should().Contain("PacketSize=4000").And.Contain("qXfer:features:read+").And.Contain("vContSupported+");
        gdb.Ask("?").Should().StartWith("T05").And.Contain($"10:{Bytes(Code)};").And.EndWith("thread:1;");
        machine.HasEnded.Should().BeFalse();
        gdb.Ask("vCont;c").Should().Be("W2a");
        machine.Outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
    }

    [Fact]
    public void Breakpoints_steps_and_watchpoints_stop_where_they_should()
    {
        using DebuggedMachine machine = new(Guest);
        using GdbClient gdb = machine.Connect();
        gdb.Ask("qSupported:swbreak+;hwbreak+");
        gdb.Ask("vCont?").Should().Be("vCont;c;C;s;S;t");
        gdb.Ask($"Z0,{Code + 5:x},1").Should().Be("OK");
        gdb.Ask("c").Should().Contain("swbreak:;").And.Contain($"10:{Bytes(Code + 5)};");
        gdb.Ask("c").Should().Contain("swbreak:;", "the breakpoint stands where it goes on");
        gdb.Ask($"z0,{Code + 5:x},1").Should().Be("OK");
        gdb.Ask("vCont;s:1").Should().StartWith("T05").And.Contain($"10:{Bytes(Code + 7)};").And.NotContain("break");
        gdb.Ask($"Z2,{Data:x},4").Should().Be("OK");
        gdb.Ask("vCont;c").Should().Contain($"watch:{Data:x};").And.Contain($"10:{Bytes(Code + 9)};");
        gdb.Ask($"m{Data:x},4").Should().Be("01000000");
        gdb.Ask($"Z1,{Code + 0xB:x},1").Should().Be("OK");
        gdb.Ask("C05").Should().Contain("hwbreak:;").And.Contain($"10:{Bytes(Code + 0xB)};");
        gdb.Ask($"z1,{Code + 0xB:x},1").Should().Be("OK");
        gdb.Ask("vCont;c").Should().Be("W2a");
    }

    [Fact]
    public void Registers_are_read_and_written_one_by_one_and_all_at_once()
    {
        using DebuggedMachine machine = new(Guest);
        using GdbClient gdb = machine.Connect();
        string description = "";
        string piece;
        do
        {
            piece = gdb.Ask($"qXfer:features:read:target.xml:{description.Length:x},200");
            description += piece[1..];
        }
        while (piece[0] == 'm');
        System.Xml.Linq.XDocument document = System.Xml.Linq.XDocument.Parse(description[..description.IndexOf('<', StringComparison.Ordinal)]
            + description.Replace("<!DOCTYPE target SYSTEM \"gdb-target.dtd\">", "", StringComparison.Ordinal));
        List<(string Name, int Bits)> registers =
            [.. document.Descendants("reg").Select(reg => (reg.Attribute("name")!.Value, int.Parse(reg.Attribute("bitsize")!.Value, CultureInfo.InvariantCulture)))];
        registers.Select(register => register.Name).Should().Contain(
            ["rax", "rip", "eflags", "cs", "st0", "fctrl", "xmm15", "mxcsr", "fs_base", "gs_base", "ymm15h", "cr0", "cr2", "cr3", "cr4", "cr8", "efer"]);
        string all = gdb.Ask("g");
        all.Length.Should().Be(registers.Sum(register => register.Bits / 4));
        int offset = 0;
        for (int number = 0; number < registers.Count; number++)
        {
            (string name, int bits) = registers[number];
            gdb.Ask($"p{number:x}").Should().Be(all.Substring(offset, bits / 4), "that is {0} in all of them", name);
            gdb.Ask($"P{number:x}={all.Substring(offset, bits / 4)}").Should().Be("OK", "{0} is given the value it has", name);
            offset += bits / 4;
        }
        gdb.Ask("g").Should().Be(all);

        int Of(string name) => registers.FindIndex(register => register.Name == name);
        foreach ((string name, string value) in ((string, string)[])
            [("rbx", "8877665544332211"), ("xmm3", "000102030405060708090a0b0c0d0e0f"), ("ymm3h", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), ("st0", "000000000000008000c0"), ("fs_base", "0010000000000000")])
        {
            gdb.Ask($"P{Of(name):x}={value}").Should().Be("OK", name);
            gdb.Ask($"p{Of(name):x}").Should().Be(value, name);
        }
        machine.Machine.Partition.Processors[0][Register.Rbx].Should().Be(0x1122_3344_5566_7788);
        string changed = gdb.Ask("g");
        gdb.Ask($"G{all}").Should().Be("OK");
        gdb.Ask("g").Should().Be(all).And.NotBe(changed);
        gdb.Ask($"P{Of("cr0"):x}=ffffffffffffffff").Should().StartWith("E.", "no instruction could have put that there");
        gdb.Ask("g").Should().Be(all);
    }

    [Fact]
    public void Memory_is_read_and_written_as_far_as_there_is_any()
    {
        using DebuggedMachine machine = new(Guest);
        using GdbClient gdb = machine.Connect();
        gdb.Ask($"m{Code:x},2").Should().Be("b900");
        gdb.Ask($"M{Data + 0xFFE:x},4:01020304").Should().Be("OK");
        gdb.Ask($"m{Data + 0xFFE:x},4").Should().Be("01020304");
        gdb.Ask($"X{Data:x},3:a}}\u0003b").Should().Be("OK");
        gdb.Ask($"m{Data:x},3").Should().Be(Convert.ToHexStringLower("a#b"u8));
        gdb.Ask($"X{Data:x},0:").Should().Be("OK");
        gdb.Ask("mfffff8,20").Length.Should().Be(16, "the machine has 16 MiB");
        gdb.Ask("m1000000,8").Should().Be("E14");
        gdb.Ask("M1000000,1:00").Should().Be("E14");
        gdb.Ask("mfffffffffffffff8,20").Should().Be("E14");
        gdb.Ask("m8000000000000000,8").Should().Be("E14", "that is no canonical address");
        gdb.Ask($"m{Data:x},ffffffffffffffff").Length.Should().BeLessThan(0x4000);
    }

    [Fact]
    public void Interrupt_stops_an_endless_loop()
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.SendPacket("vCont;c");
        gdb.ReceiveByte().Should().Be('+');
        ProcessorCounters before = machine.Machine.Partition.Processors[0].Counters;
        SpinWait.SpinUntil(() => machine.Machine.Partition.Processors[0].Counters.Instructions > before.Instructions + 1000, 10_000).Should().BeTrue();
        gdb.SendRaw("\u0003");
        gdb.Receive().Should().StartWith("T02");
        string one = gdb.Ask("g");
        gdb.Ask("g").Should().Be(one, "it stands still");
        gdb.Ask("vCont;s:1").Should().StartWith("T05");
    }

    [Fact]
    public void Detach_and_disconnect_leave_a_guest_that_runs_and_another_debugger_may_come()
    {
        using DebuggedMachine machine = new(Endless);
        using (GdbClient gdb = machine.Connect())
        {
            gdb.Ask($"Z0,{Code:x},1").Should().Be("OK");
            gdb.Ask("D").Should().Be("OK");
            gdb.IsClosed.Should().BeTrue();
        }
        MovesOn(machine);
        using (GdbClient gdb = machine.Connect())
        {
            gdb.Ask("?").Should().StartWith("T05");
            gdb.Ask($"Z0,{Code:x},1").Should().Be("OK");
        }
        MovesOn(machine);
        using (GdbClient gdb = machine.Connect())
            gdb.Ask("qC").Should().Be("QC1");
    }

    [Theory]
    [InlineData("k", false)]
    [InlineData("vKill;1", true)]
    public void Kill_is_told_to_who_runs_the_guest(string packet, bool isAnswered)
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        if (isAnswered)
            gdb.Ask(packet).Should().Be("OK");
        else
            gdb.SendPacket(packet);
        machine.Outcome.Kind.Should().Be(MachineOutcomeKind.Cancelled);
        machine.IsKilled.Should().BeTrue();
    }

    [Fact]
    public void Guest_that_shuts_down_is_shown_before_the_run_ends()
    {
        using DebuggedMachine machine = new(a =>
        {
            a.lidt(__[Data]); // zeros: no vector can be delivered
            a.ud2();
        });
        using GdbClient gdb = machine.Connect();
        gdb.Ask("vCont;c").Should().StartWith("T06");
        gdb.Ask("p10").Should().Be(Bytes(Code + 8));
        gdb.Ask("vCont;c").Should().StartWith("W");
        machine.Outcome.Kind.Should().Be(MachineOutcomeKind.TripleFault);
    }

    [Fact]
    public void Time_stands_still_while_the_guest_does()
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.Ask("?");
        long before = machine.Machine.Clock.Nanoseconds;
        Thread.Sleep(20);
        machine.Machine.Clock.Nanoseconds.Should().Be(before);
        gdb.Ask("D");
        SpinWait.SpinUntil(() => machine.Machine.Clock.Nanoseconds > before, 5000).Should().BeTrue();
    }

    [Fact]
    public void Monitor_disassembles_translates_and_explains_itself()
    {
        using DebuggedMachine machine = new(Guest);
        using GdbClient gdb = machine.Connect();
        foreach (string command in (string[])["dis", "exits", "registers", "slat", "translate 0x200000", "translate 0x8000000000000000", "xp 0x200000 16", "help", "nonsense", "dis x", "msr 0xC0000080", "@0 registers", "@1 registers", "@", "msr 0x12345678"])
            gdb.Ask($"qRcmd,{Convert.ToHexStringLower(Encoding.UTF8.GetBytes(command))}").Should().Be("OK", command);
        gdb.Output.Should().Contain("mov ecx,300000h").And.Contain("64-bit code").And.Contain("0x200000, in a page of").And.Contain("NonCanonical")
            .And.Contain("000000200000  B9 00 00 30 00").And.Contain("translate ADDRESS").And.Contain("'nonsense' is not a command").And.Contain("'x' is no number").And.Contain("0x500").And.Contain("has no MSR 0x12345678").And.Contain("'@1' is no processor: they are @0 to @0");
    }

    internal static void MovesOn(DebuggedMachine machine)
    {
        ulong before = machine.Machine.Partition.Processors[0].Counters.Instructions;
        SpinWait.SpinUntil(() => machine.Machine.Partition.Processors[0].Counters.Instructions > before + 10_000, 10_000).Should().BeTrue("the guest runs");
    }

    private static string Bytes(ulong value) => Convert.ToHexStringLower(BitConverter.GetBytes(value));
}
