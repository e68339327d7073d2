using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>x2APIC mode, hypercalls and partition time.</summary>
internal static class PartitionServiceCases
{
    public static ConformanceCase[] All =>
    [
        new("apic.x2apic_enable", "A guest switches to x2APIC, whose registers are MSRs", "SDM Vol. 3A 11.12.1, 11.12.5", X2ApicEnable)
        {
            Requires = [Capability.LocalApic, Capability.X2Apic],
        },
        new("apic.x2apic_self_ipi", "The self-IPI register of x2APIC sends, EOI ends", "SDM Vol. 3A 11.12.11", X2ApicSelfIpi)
        {
            Requires = [Capability.LocalApic, Capability.X2Apic],
        },
        new("apic.x2apic_faults", "Reserved values, write-only reads and a bad mode change are #GP(0)",
            "SDM Vol. 3A 11.12.1.2, 11.12.1.3, 11.12.5", X2ApicFaults)
        {
            Requires = [Capability.LocalApic, Capability.X2Apic],
        },
        new("apic.absent_without_request", "Without a local APIC, interrupt requests are refused",
            "contract 5; contract 7: InvalidOperationException", NoApic),
        new("hypercall.exits", "VMCALL exits with RIP behind it and registers free to read and write", "contract 4: Hypercall",
            HypercallExits)
        {
            Requires = [Capability.Hypercalls],
        },
        new("hypercall.undefined", "VMCALL is #UD where it does not exit",
            "SDM Vol. 3C 31.3 VMCALL; contract: PartitionOptions.HypercallExits", HypercallUndefined),
        new("time.suspend", "Suspended partition time stands still, and goes on where it stopped",
            "contract 5: suspend and resume of partition time", SuspendTime)
        {
            Requires = [Capability.TimeControl],
        },
    ];

    private static GuestMachine WithX2Apic(ConformanceContext c, Action<Iced.Intel.Assembler> build)
    {
        GuestMachine m = c.Enter(GuestMode.Long, build, configure: o => o with { LocalApic = LocalApicMode.X2Apic });
        return m;
    }

    private static void X2ApicEnable(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.mov(ecx, 0x1B);
                a.rdmsr();
                a.mov(esi, eax);
                a.or(eax, 0x400);
                a.wrmsr();
                a.rdmsr();
                a.mov(edi, eax);
                a.mov(ecx, 0x802);
                a.rdmsr();
                a.mov(r8d, eax);
                a.mov(ecx, 0x80F);
                a.rdmsr();
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            configure: o => o with { LocalApic = LocalApicMode.XApic });
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, 0xFEE0_0900), (Register.Rdi, 0xFEE0_0D00), (Register.R8, 0), (Register.Rdx, 0));
        Verify.Bits(m[Register.Rax], 0xF, 0xF, "Spurious-interrupt register");
    }

    private static void X2ApicSelfIpi(ConformanceContext c)
    {
        GuestMachine m = WithX2Apic(c, a =>
        {
            a.mov(ecx, 0x80F);
            a.mov(eax, 0x1FF);
            a.xor(edx, edx);
            a.wrmsr();
            a.mov(ecx, 0x83F);
            a.mov(eax, 0x51);
            a.wrmsr();
            a.mov(ecx, 0x822);
            a.rdmsr();
            a.mov(esi, eax);
            a.sti();
            a.nop();
            a.cli();
            a.mov(ecx, 0x822);
            a.rdmsr();
            a.@out((byte)GuestLayout.MarkPort, al);
        });
        m.Assemble(64, GuestLayout.HighMemory, a =>
        {
            a.mov(ecx, 0x812);
            a.rdmsr();
            a.mov(edi, eax);
            a.mov(ecx, 0x80B);
            a.xor(eax, eax);
            a.wrmsr();
            a.mov(ecx, 0x812);
            a.rdmsr();
            a.mov(ebx, eax);
            a.iretq();
        });
        m.SetHandler(0x51, GuestLayout.HighMemory);
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, 1 << 17), (Register.Rdi, 1 << 17), (Register.Rbx, 0), (Register.Rax, 0));
    }

    private static void X2ApicFaults(ConformanceContext c)
    {
        (uint Msr, ulong Value, bool Write, string What)[] cases =
        [
            (0x80B, 1, true, "EOI of 1"), (0x80B, 0, false, "Reading EOI"), (0x808, 0x100, true, "Task priority of 256"),
                (0x802, 1, true, "Writing the identifier"),
            (0x1B, 0xFEE0_0900, true, "From x2APIC straight to xAPIC"), (0x80E, 0, false, "The destination format, which is gone"),
        ];
        foreach ((uint msr, ulong value, bool write, string what) in cases)
        {
            GuestMachine m = WithX2Apic(c, a =>
            {
                if (write)
                    a.wrmsr();
                else
                    a.rdmsr();
                a.@out((byte)GuestLayout.MarkPort, al);
            });
            m[Register.Rcx] = msr;
            m[Register.Rax] = value;
            ExceptionFrame frame = m.RunToException();
            Verify.Equal(frame.Vector, (byte)13, what);
            Verify.Equal(frame.ErrorCode, 0U, $"{what}: error code");
        }
    }

    private static void NoApic(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.hlt());
        InterruptRequest request = new() { Vector = 0x30 };
        if (c.Has(Capability.LocalApic))
            Verify.Throws<InvalidOperationException>(() => m.Partition.RequestInterrupt(request), "A request to a partition without APICs");
        else
            Verify.Throws<NotSupportedException>(() => m.Partition.RequestInterrupt(request), "A request, undeclared",
                Capability.LocalApic.Name);
        m.RunToHalt();
    }

    private static void HypercallExits(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.vmcall();
                a.mov(rdx, rax);
                a.vmmcall();
                a.hlt();
            },
            configure: o => o with { HypercallExits = true });
        m[Register.Rax] = 0x1234;
        m.RunTo(ExitKind.Hypercall);
        Verify.True(!m.Processor.IsPending, "A hypercall leaves nothing pending");
        m.VerifyRegisters((Register.Rip, GuestLayout.Code + 3), (Register.Rax, 0x1234));
        m[Register.Rax] = 0x5678;
        m.RunTo(ExitKind.Hypercall);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rdx, 0x5678));
    }

    private static void HypercallUndefined(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.vmcall());
        Verify.Equal(m.RunToException(6).Rip, GuestLayout.Code, "RIP");
    }

    private static void SuspendTime(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        ulong start = m.Processor.ReadMsr(0x10);
        Thread.Sleep(5);
        m.Partition.SuspendTime();
        ulong stopped = m.Processor.ReadMsr(0x10);
        Verify.True(stopped > start, "Time passes at first");
        Thread.Sleep(30);
        Verify.Equal(m.Processor.ReadMsr(0x10), stopped, "The time-stamp counter while suspended");
        m.Partition.ResumeTime();
        ulong resumed = m.Processor.ReadMsr(0x10);
        Thread.Sleep(5);
        Verify.True(m.Processor.ReadMsr(0x10) > resumed, "Time passes again");
    }
}
