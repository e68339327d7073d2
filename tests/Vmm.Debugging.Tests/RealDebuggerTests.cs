using Iced.Intel;
using Vmm.Machines;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Debugging.Tests;

/// <summary>Debian's gdb, which knows nothing of this project.</summary>
public sealed class RealDebuggerTests
{
    private const uint Code = DebuggedMachine.Code, Data = DebuggedMachine.Data;

    [SkippableFact]
    public void Gdb_breaks_inspects_steps_watches_and_lets_the_guest_end()
    {
        using DebuggedMachine machine = new(a =>
        {
            Label again = a.CreateLabel();
            a.mov(ecx, 3); // 5 bytes
            a.Label(ref again);
            a.mov(__dword_ptr[Data], ecx); // 7
            a.dec(ecx); // 2
            a.jnz(again); // 2
            a.mov(rax, 0x4045_0000_0000_0000L); // 10: 42.0
            a.mov(rdx, cr4); // 3
            a.or(edx, 0x200); // OSFXSR: 6
            a.mov(cr4, rdx); // 3
            a.movq(xmm1, rax); // 5
            a.mov(al, 7);
            a.@out((byte)DebuggedMachine.ExitPort, al);
            Label self = a.CreateLabel();
            a.Label(ref self);
            a.jmp(self);
        });

        string said = Gdb(
            machine,
            $"break *{Code + 12}",
            "continue",
            "printf \"ecx is %d\\n\", $ecx",
            "x/2i $rip",
            "stepi",
            "printf \"then %d\\n\", $ecx",
            "delete",
            $"watch *(int *){Data}",
            "continue",
            "delete",
            $"rwatch *(int *){Data}",
            "delete",
            $"set var *(int *){Data + 16} = 0x1234",
            $"x/wx {Data + 16}",
            "hbreak *" + (Code + 43),
            "continue",
            "printf \"xmm1 is %g\\n\", $xmm1.v2_double[0]",
            "info registers cr0 efer cs gs_base ymm1",
            "info threads",
            "monitor dis",
            "set var $rbx = 0x55",
            "print/x $rbx",
            "delete",
            "continue");

        said.Should().Contain("Breakpoint 1, 0x000000000020000c in ?? ()").And.Contain("ecx is 3").And.Contain("=> 0x20000c:\tdec    %ecx").And.Contain("then 2")
            .And.MatchRegex("Hardware watchpoint 2: .*\n\nOld value = 3\nNew value = 2\n").And.Contain("0x300010:\t0x00001234").And.Contain("xmm1 is 42")
            .And.MatchRegex("efer +0x500 ").And.MatchRegex("ymm1 .*v4_int64 = \\{0x4045000000000000").And.Contain("Thread 1 (processor 0)").And.Contain("out 0F4h,al")
            .And.Contain("= 0x55").And.Contain("exited with code 07");
        machine.Outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
    }

    [SkippableFact]
    public void Gdb_goes_over_halts_that_the_timer_ends()
    {
        using DebuggedMachine machine = new(a =>
        {
            // A periodic APIC timer; its handler counts in EBX and is at 0x100 behind the start.
            Label again = a.CreateLabel(), handler = a.CreateLabel();
            a.mov(rsp, 0x30_8000);
            a.mov(esi, 0x30_1000); // interrupt table
            a.lea(rax, __[handler]);
            a.mov(__word_ptr[rsi + 0x400], ax);
            a.mov(__word_ptr[rsi + 0x402], cs);
            a.mov(__word_ptr[rsi + 0x404], 0x8E00);
            a.shr(rax, 16);
            a.mov(__word_ptr[rsi + 0x406], ax);
            a.mov(__word_ptr[Data], 0xFFF);
            a.mov(__qword_ptr[Data + 2], rsi);
            a.lidt(__[Data]);
            a.mov(al, -1); // the other interrupt controllers stay quiet
            a.@out(0x21, al);
            a.@out(0xA1, al);
            a.mov(edi, 0xFEE0_0000);
            a.mov(__dword_ptr[rdi + 0xF0], 0x1FF);
            a.mov(__dword_ptr[rdi + 0x3E0], 0xB);
            a.mov(__dword_ptr[rdi + 0x320], 0x2_0040);
            a.mov(__dword_ptr[rdi + 0x380], 5_000_000);
            a.sti();
            a.Label(ref again);
            a.hlt();
            a.cmp(ebx, 100);
            a.jb(again);
            a.mov(al, 1);
            a.@out((byte)DebuggedMachine.ExitPort, al);
            a.jmp(again);
            a.Label(ref handler);
            a.inc(ebx);
            a.mov(__dword_ptr[rdi + 0xB0], 0);
            a.iretq();
        });
        ulong halt = Find(machine, 0xF4);

        string said = Gdb(
            machine,
            $"hbreak *{halt}",
            "continue",
            "stepi", // HLT itself
            "printf \"behind the halt at %d\\n\", $rip - " + halt,
            "stepi", // wakes in the handler
            "x/i $rip",
            "continue",
            "printf \"round with ebx %d\\n\", $ebx",
            "stepi",
            "continue",
            "printf \"round with ebx %d\\n\", $ebx",
            "delete",
            "continue");

        said.Should().Contain("behind the halt at 1").And.MatchRegex("=> 0x[0-9a-f]+:\tinc    %ebx").And.MatchRegex("round with ebx [1-9]\\d*\n")
            .And.Contain("exited with code 01");
        machine.Outcome.Value.Should().Be(1u);
    }

    private static string Gdb(DebuggedMachine machine, params string[] commands)
    {
        OutsideTool.Require("gdb", "gdb", "gdb");
        List<string> arguments = ["-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off", "-ex", $"target remote {machine.EndPoint}"];
        foreach (string command in commands)
            arguments.AddRange(["-ex", command]);
        (_, string output) = OutsideTool.Try("gdb", "gdb", null, "gdb", [.. arguments]);
        return output;
    }

    private static ulong Find(DebuggedMachine machine, byte opcode)
    {
        byte[] code = new byte[256];
        machine.Machine.Partition.Memory.Read(Code, code);
        // The only place where it stands between STI and CMP.
        return Code + (ulong)code.AsSpan().IndexOf([(byte)0xFB, opcode, (byte)0x83]) + 1;
    }
}
