using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The guest's own debug facilities.</summary>
internal static class DebugCases
{
    public static ConformanceCase[] All =>
    [
        new("debug.single_step", "TF traps after each instruction with DR6.BS, and is clear in the handler", "SDM Vol. 3B 17.3.1.4",
            SingleStep),
        new("debug.breakpoint_registers", "Execute breakpoints fault before, data breakpoints trap after the instruction",
            "SDM Vol. 3B 17.2, 17.3.1", BreakpointRegisters),
    ];

    private static void SingleStep(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.push(0x102);
            a.popfq();
            a.inc(eax);
            a.nop();
            a.push(2);
            a.popfq();
            a.hlt();
        });
        ulong push = (ulong)GuestCode.Assemble(64, 0, a => a.push(0x102)).Length;
        ulong shortPush = (ulong)GuestCode.Assemble(64, 0, a => a.push(2)).Length;
        ulong increment = (ulong)GuestCode.Assemble(64, 0, a => a.inc(eax)).Length;
        ulong start = GuestLayout.Code + push + 1;
        ulong[] expected = [start + increment, start + increment + 1, start + increment + 1 + shortPush, start + increment + 2 + shortPush];
        foreach (ulong rip in expected)
        {
            ExceptionFrame frame = m.RunToException(1);
            Verify.Equal(frame.Rip, rip, "RIP saved by the trap");
            Verify.Bits(m[Register.Dr6], 0x4000, 0x4000, "DR6.BS");
            Verify.Bits(m[Register.Rflags], 0x100, 0, "TF in the handler");
            m[Register.Dr6] = 0xFFFF_0FF0;
            if (rip == expected[^1])
                Verify.Bits(frame.Rflags, 0x100, 0, "TF saved by the trap of the POPF that clears it");
        }
        m.RunToHalt();
    }

    private static void BreakpointRegisters(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.nop();
            a.inc(eax);
            a.mov(__dword_ptr[GuestLayout.Data + 8], ebx);
            a.inc(eax);
            a.hlt();
        });
        m[Register.Dr0] = GuestLayout.Code + 1;
        m[Register.Dr1] = GuestLayout.Data + 8;
        m[Register.Dr7] = 0x400 | 0b1010 | (0b1101UL << 20); // DR0 execute, DR1 four-byte writes, both global
        ExceptionFrame frame = m.RunToException(1);
        Verify.Equal(frame.Rip, GuestLayout.Code + 1, "RIP saved by the execute breakpoint");
        m.VerifyRegisters((Register.Rax, 0));
        Verify.Bits(m[Register.Dr6], 0xF, 1, "DR6 after the execute breakpoint");
        m.Poke(frame.FrameAddress + 16, frame.Rflags | (1 << 16)); // RF, as a handler would
        m[Register.Dr6] = 0xFFFF_0FF0;
        frame = m.RunToException(1);
        m.VerifyRegisters((Register.Rax, 1));
        Verify.Bits(m[Register.Dr6], 0xF, 2, "DR6 after the data breakpoint");
        Verify.True(frame.Rip > GuestLayout.Code + 3, "RIP saved by the data breakpoint is behind the store");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 2));
    }
}
