using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>What the processor says it is, and its model-specific registers.</summary>
internal static class CpuidMsrCases
{
    private const uint KernelGsBase = 0xC000_0102, Lstar = 0xC000_0082, Efer = 0xC000_0080;

    public static ConformanceCase[] All =>
    [
        new("cpuid.baseline", "The processor shows the x86-64 baseline with NX, SYSCALL and CX16",
            "contract 6: profile v1; SDM Vol. 2 CPUID", Baseline),
        new("cpuid.widths", "The address widths shown are those of the partition", "SDM Vol. 2 CPUID, leaf 80000008H", Widths),
        new("cpuid.zero_extends", "CPUID clears the upper halves of its four registers", "SDM Vol. 2 CPUID", ZeroExtends),
        new("cpuid.osxsave_follows", "OSXSAVE follows CR4", "SDM Vol. 2 CPUID, leaf 1 ECX bit 27", OsxsaveFollows),
        new("cpuid.exit", "A chosen leaf exits with leaf, subleaf and default, and takes the client's answer", "contract 4: Cpuid",
            ChosenLeafExits)
        {
            Requires = [Capability.CpuidExits],
        },
        new("msr.unknown_faults", "Reading or writing an unknown MSR is #GP(0) at the instruction", "SDM Vol. 2 RDMSR, WRMSR",
            UnknownFaults),
        new("msr.round_trip", "The guest writes and reads back MSRs that the host sees too", "SDM Vol. 2 RDMSR, WRMSR", RoundTrip),
        new("msr.bad_values_fault", "Reserved EFER bits, a non-canonical LSTAR and a bad PAT are #GP(0) and change nothing",
            "SDM Vol. 2 WRMSR; Vol. 3A 2.2.1, 11.12.4", BadValuesFault),
        new("msr.user_faults", "RDMSR at level 3 is #GP(0)", "SDM Vol. 2 RDMSR", UserFaults),
        new("msr.tsc_advances", "The time-stamp counter advances and never goes back", "SDM Vol. 3B 17.17", TscAdvances),
        new("msr.policy_fault", "A range of the policy that faults is #GP(0)", "contract 8: per-range policy", PolicyFault)
        {
            Requires = [Capability.MsrExits],
        },
        new("msr.policy_ignore", "A range of the policy that is ignored reads zero and drops writes; the first range decides",
            "contract 8: per-range policy", PolicyIgnore)
        {
            Requires = [Capability.MsrExits],
        },
        new("msr.exit", "A range that exits carries number and value, and takes a value or a fault", "contract 4: Msr; contract 8",
            PolicyExit)
        {
            Requires = [Capability.MsrExits],
        },
        new("msr.exit_unknown", "Numbers the backend does not know exit when the policy says so", "contract 8: per-range policy",
            UnknownExit)
        {
            Requires = [Capability.MsrExits],
        },
    ];

    private static void Baseline(ConformanceContext c)
    {
        CpuidResult basic = c.GuestCpuid(0);
        Verify.True(basic.Eax >= 1, "Highest basic leaf at least 1");
        CpuidResult features = c.GuestCpuid(1);
        const uint Edx = (1 << 0) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 8) | (1 << 13) | (1 << 15) | (1 << 19) | (1 << 23) | (1 << 24)
            | (1 << 25) | (1 << 26);
        Verify.Bits(features.Edx, Edx, Edx, "FPU, TSC, MSR, PAE, CX8, PGE, CMOV, CLFSH, MMX, FXSR, SSE, SSE2");
        Verify.Bits(features.Ecx, 1 << 13, 1 << 13, "CX16");
        CpuidResult top = c.GuestCpuid(0x8000_0000);
        Verify.True(top.Eax >= 0x8000_0008, "Highest extended leaf at least 80000008H");
        CpuidResult extended = c.GuestCpuid(0x8000_0001);
        const uint Long = (1 << 20) | (1 << 29);
        Verify.Bits(extended.Edx, Long, Long, "NX and LM");
    }

    private static void Widths(ConformanceContext c)
    {
        CpuidResult widths = c.GuestCpuid(0x8000_0008);
        Verify.True((widths.Eax & 0xFF) <= (uint)c.Capabilities.PhysicalAddressBits,
            $"Physical width {widths.Eax & 0xFF} within {c.Capabilities.PhysicalAddressBits} bits");
        Verify.True((widths.Eax & 0xFF) >= 36, "Physical width at least 36 bits");
        Verify.True((widths.Eax >> 8 & 0xFF) is 48 or 57, "Linear width 48 or 57 bits");
    }

    private static void ZeroExtends(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.cpuid();
            a.hlt();
        });
        m[Register.Rax] = 0xFFFF_FFFF_0000_0000;
        m[Register.Rbx] = m[Register.Rdx] = ulong.MaxValue;
        m[Register.Rcx] = 0xFFFF_FFFF_0000_0000;
        m.RunToHalt();
        foreach (Register register in (Register[])[Register.Rax, Register.Rbx, Register.Rcx, Register.Rdx])
            Verify.Equal(m[register] >> 32, 0UL, $"Upper half of {register}");
    }

    private static void OsxsaveFollows(ConformanceContext c)
    {
        ConformanceContext.SkipUnless((c.GuestCpuid(1).Ecx & (1 << 26)) != 0, "The processor model has no XSAVE.");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, 1);
            a.cpuid();
            a.mov(esi, ecx);
            a.mov(rax, cr4);
            a.or(eax, 1 << 18);
            a.mov(cr4, rax);
            a.mov(eax, 1);
            a.cpuid();
            a.hlt();
        });
        m.RunToHalt();
        Verify.Bits(m[Register.Rsi], 1 << 27, 0, "OSXSAVE before");
        Verify.Bits(m[Register.Rcx], 1 << 27, 1 << 27, "OSXSAVE after");
    }

    private static void ChosenLeafExits(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.mov(eax, 0x4000_0000);
                a.mov(ecx, 3);
                a.cpuid();
                a.mov(r8d, eax);
                a.mov(r9d, ebx);
                a.mov(r10d, ecx);
                a.mov(r11d, edx);
                a.xor(eax, eax);
                a.cpuid();
                a.mov(eax, 1);
                a.xor(ecx, ecx);
                a.cpuid();
                a.hlt();
            },
            configure: o => o with { CpuidExits = [0x4000_0000, 1] });
        CpuidExit exit = m.RunTo(ExitKind.Cpuid).Cpuid;
        Verify.Equal(exit.Leaf, 0x4000_0000U, "Leaf");
        Verify.Equal(exit.Subleaf, 3U, "Subleaf");
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run without an answer");
        m.Processor.CompleteCpuid(new CpuidResult(0x1111_1111, 0x2222_2222, 0x3333_3333, 0xFFFF_FFFF));
        exit = m.RunTo(ExitKind.Cpuid).Cpuid;
        Verify.Equal(exit.Leaf, 1U, "The other leaf");
        Verify.True((exit.Default.Edx & 1) != 0, "The default of leaf 1 shows an FPU");
        m.Processor.CompleteCpuid(exit.Default with { Eax = 0x1234 });
        m.RunToHalt();
        m.VerifyRegisters((Register.R8, 0x1111_1111), (Register.R9, 0x2222_2222), (Register.R10, 0x3333_3333), (Register.R11, 0xFFFF_FFFF),
            (Register.Rax, 0x1234));
    }

    private static void UnknownFaults(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rdmsr();
            a.wrmsr();
        });
        m[Register.Rcx] = 0xDEAD_0001;
        m[Register.Rax] = 0x55;
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP of the RDMSR");
        m.VerifyRegisters((Register.Rax, 0x55));
        m[Register.Rip] = GuestLayout.Code + 2;
        frame = m.RunToException(13);
        Verify.Equal(frame.Rip, GuestLayout.Code + 2, "RIP of the WRMSR");
    }

    private static void RoundTrip(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(ecx, Lstar);
            a.mov(eax, 0x1234_5000);
            a.mov(edx, 0xFFFF_8000);
            a.wrmsr();
            a.xor(eax, eax);
            a.xor(edx, edx);
            a.rdmsr();
            a.mov(rsi, rax);
            a.mov(rdi, rdx);
            a.mov(ecx, 0xC000_0101);
            a.mov(eax, (uint)GuestLayout.Data);
            a.xor(edx, edx);
            a.wrmsr();
            a.mov(rbx, __qword_ptr.gs[8]);
            a.hlt();
        });
        m[Register.Rax] = ulong.MaxValue;
        m.Poke(GuestLayout.Data + 8, 0x4711);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsi, 0x1234_5000), (Register.Rdi, 0xFFFF_8000), (Register.Rbx, 0x4711));
        Verify.Equal(m.Processor.ReadMsr(Lstar), 0xFFFF_8000_1234_5000, "LSTAR");
    }

    private static void BadValuesFault(ConformanceContext c)
    {
        (uint Msr, ulong Value, string What)[] bad =
        [
            (Efer, 0x1_0000_0D01, "EFER with bit 32"), (Efer, 0xC01, "EFER without LME while paging"),
                (Lstar, 0x8000_0000_0000, "LSTAR, not canonical"),
            (0xC000_0100, 0x8000_0000_0000_0000, "FS base, not canonical"), (0x277, 0x0202_0202_0202_0202, "PAT with type 2"),
        ];
        foreach ((uint msr, ulong value, string what) in bad)
        {
            GuestMachine m = c.Enter(GuestMode.Long, a =>
            {
                a.wrmsr();
                a.hlt();
            });
            ulong before = m.Processor.ReadMsr(msr);
            m[Register.Rcx] = msr;
            m[Register.Rax] = (uint)value;
            m[Register.Rdx] = value >> 32;
            ExceptionFrame frame = m.RunToException();
            Verify.Equal(frame.Vector, (byte)13, what);
            Verify.Equal(frame.ErrorCode, 0U, $"{what}: error code");
            Verify.Equal(m.Processor.ReadMsr(msr), before, $"{what}: the MSR afterwards");
        }
    }

    private static void UserFaults(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.rdmsr(), user: true);
        m[Register.Rcx] = Efer;
        Verify.Equal(m.RunToException(13).Rip, GuestLayout.Code, "RIP of the fault");
    }

    private static void TscAdvances(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rdtsc();
            a.shl(rdx, 32);
            a.or(rax, rdx);
            a.mov(rbx, rax);
            a.mov(ecx, 1000);
            Iced.Intel.Label loop = a.CreateLabel();
            a.Label(ref loop);
            a.dec(ecx);
            a.jne(loop);
            a.rdtsc();
            a.shl(rdx, 32);
            a.or(rax, rdx);
            a.hlt();
        });
        m.RunToHalt();
        Verify.True(m[Register.Rax] > m[Register.Rbx], $"0x{m[Register.Rax]:X} is after 0x{m[Register.Rbx]:X}");
        Verify.True(m.Processor.ReadMsr(0x10) >= m[Register.Rax], "The MSR, read later, is not earlier");
    }

    private static GuestMachine WithPolicy(ConformanceContext c, MsrPolicy policy)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.wrmsr();
                a.xor(eax, eax);
                a.xor(edx, edx);
                a.rdmsr();
                a.hlt();
            },
            configure: o => o with { MsrPolicy = policy });
        m[Register.Rax] = 0x1111;
        m[Register.Rdx] = 0x2222;
        return m;
    }

    private static void PolicyFault(ConformanceContext c)
    {
        MsrPolicy policy = new() { Ranges = [new MsrRange(KernelGsBase, KernelGsBase, MsrAction.Allow, MsrAction.Fault)] };
        GuestMachine m = WithPolicy(c, policy);
        m[Register.Rcx] = KernelGsBase;
        m.Processor.WriteMsr(KernelGsBase, 0x77);
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP of the WRMSR");
        m[Register.Rip] = GuestLayout.Code + 2;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x77), (Register.Rdx, 0));
    }

    private static void PolicyIgnore(ConformanceContext c)
    {
        MsrPolicy policy = new()
        {
            Ranges =
            [
                new MsrRange(KernelGsBase, KernelGsBase, MsrAction.Ignore, MsrAction.Ignore),
                new MsrRange(0xC000_0000, 0xC000_0FFF, MsrAction.Fault, MsrAction.Fault),
                new MsrRange(0xDEAD_0000, 0xDEAD_00FF, MsrAction.Ignore, MsrAction.Ignore),
            ],
        };
        foreach (uint msr in (uint[])[KernelGsBase, 0xDEAD_0042])
        {
            GuestMachine m = WithPolicy(c, policy);
            m[Register.Rcx] = msr;
            m.RunToHalt();
            m.VerifyRegisters((Register.Rax, 0), (Register.Rdx, 0));
        }
        GuestMachine refused = WithPolicy(c, policy);
        refused[Register.Rcx] = Lstar;
        refused.RunToException(13);
    }

    private static void PolicyExit(ConformanceContext c)
    {
        MsrPolicy policy = new() { Ranges = [new MsrRange(0x5000, 0x5001, MsrAction.Exit, MsrAction.Exit)] };
        GuestMachine m = WithPolicy(c, policy);
        m[Register.Rcx] = 0x5001;
        MsrExit exit = m.RunTo(ExitKind.Msr).Msr;
        Verify.Equal(exit, new MsrExit { Msr = 0x5001, IsWrite = true, Value = 0x2222_0000_1111 }, "The write");
        exit = m.RunTo(ExitKind.Msr).Msr;
        Verify.Equal(exit, new MsrExit { Msr = 0x5001 }, "The read");
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run without an answer");
        m.Processor.CompleteRead(0xAAAA_BBBB_CCCC_DDDD);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0xCCCC_DDDD), (Register.Rdx, 0xAAAA_BBBB));

        m = WithPolicy(c, policy);
        m[Register.Rcx] = 0x5000;
        m.RunTo(ExitKind.Msr);
        m.Processor.CompleteWithFault();
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP of the refused WRMSR");
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
    }

    private static void UnknownExit(ConformanceContext c)
    {
        GuestMachine m = WithPolicy(c, new MsrPolicy { Unknown = MsrAction.Exit });
        m[Register.Rcx] = 0xDEAD_0007;
        Verify.Equal(m.RunTo(ExitKind.Msr).Msr.Msr, 0xDEAD_0007U, "Number written");
        m.RunTo(ExitKind.Msr);
        m.Processor.CompleteRead(9);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 9));
    }
}
