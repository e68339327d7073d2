using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Debugging.Tests;

public sealed class LesserBackendTests
{
    private const uint Code = DebuggedMachine.Code, Data = DebuggedMachine.Data;

    private static void Endless(Assembler a)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.inc(rbx);
        a.jmp(again);
    }

    [Fact]
    public void What_is_not_declared_is_refused_and_the_rest_works()
    {
        using DebuggedMachine machine = new(Endless, hypervisor: new LesserBackend(Capability.Breakpoints, Capability.Watchpoints, Capability.SingleStep));
        using GdbClient gdb = machine.Connect();
        gdb.Ask("vCont?").Should().Be("vCont;c;C;t");
        gdb.Ask($"Z0,{Code:x},1").Should().StartWith("E.").And.Contain("has no breakpoints");
        gdb.Ask($"Z1,{Code:x},1").Should().StartWith("E.").And.Contain("has no breakpoints");
        gdb.Ask($"Z2,{Data:x},4").Should().StartWith("E.").And.Contain("has no watchpoints");
        gdb.Ask("vCont;s:1").Should().StartWith("E.").And.Contain("'single-step'");
        gdb.Ask("s").Should().StartWith("E.").And.Contain("'single-step'");
        gdb.Ask($"m{Code:x},3").Should().Be("48ffc3");
        gdb.SendPacket("vCont;c");
        GdbServerTests.MovesOn(machine);
        gdb.SendRaw("\u0003");
        gdb.Receive().Should().StartWith("T02");
        gdb.Ask("D").Should().Be("OK");
        GdbServerTests.MovesOn(machine);
    }

    [Fact]
    public void Points_beyond_the_limit_are_refused()
    {
        using DebuggedMachine machine = new(Endless, hypervisor: new LesserBackend());
        using GdbClient gdb = machine.Connect();
        gdb.Ask($"Z2,{Data:x},18").Should().StartWith("E.").And.Contain("no room", "three pieces are needed");
        gdb.Ask($"Z2,{Data:x},10").Should().Be("OK");
        gdb.Ask($"Z0,{Code + 3:x},1").Should().StartWith("E.").And.Contain("no room");
        gdb.Ask($"z2,{Data:x},10").Should().Be("OK");
        gdb.Ask($"Z0,{Code + 3:x},1").Should().Be("OK");
        gdb.Ask($"Z1,{Code + 3:x},1").Should().Be("OK", "both are one point");
        gdb.Ask("c").Should().StartWith("T05");
    }
}
