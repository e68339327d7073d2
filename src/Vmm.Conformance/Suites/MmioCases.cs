using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Accesses to unmapped addresses leave the guest decoded, and come back complete.</summary>
internal static class MmioCases
{
    private const ulong Mmio = GuestLayout.Mmio;

    public static ConformanceCase[] All =>
    [
        new("mmio.sizes", "Loads and stores of 1, 2, 4 and 8 bytes carry address, size and value", "SDM Vol. 2 MOV; contract 3: Mmio",
            Sizes),
        new("mmio.extension", "MOVZX, MOVSX and 32-bit loads extend the completed value", "SDM Vol. 2 MOVZX, MOVSX; Vol. 1 3.4.1.1",
            Extension),
        new("mmio.value_above_size_ignored", "Bits above the access size of a completed read are ignored", "contract 4: CompleteRead",
            ValueAboveSizeIgnored),
        new("mmio.read_modify_write", "A read-modify-write is a read exit, then a write exit of the result, with flags",
            "SDM Vol. 2 ADD; contract 3", ReadModifyWrite),
        new("mmio.exchange", "XCHG and LOCK XADD read, then write", "SDM Vol. 2 XCHG, XADD; contract 3: LOCK on MMIO", Exchange),
        new("mmio.compare_exchange", "CMPXCHG compares the completed value", "SDM Vol. 2 CMPXCHG", CompareExchange),
        new("mmio.test_and_compare", "CMP and TEST with memory read once and set flags", "SDM Vol. 2 CMP, TEST", TestAndCompare),
        new("mmio.page_split", "An access across a page exits in two pieces, low first, of sizes that add up", "contract 3: a page split",
            PageSplit),
        new("mmio.half_in_memory", "The half of a split access that lies in memory is done by the backend",
            "contract 3: a half that lies in RAM", HalfInMemory),
        new("mmio.sixteen_bytes", "A 16-byte load or store exits in 8-byte pieces, low to high",
            "contract 3: wider accesses; SDM Vol. 2 MOVUPS", SixteenBytes),
        new("mmio.ten_bytes", "An 80-bit store exits as 8 bytes, then 2", "contract 3: wider accesses; SDM Vol. 2 FSTP", TenBytes),
        new("mmio.push_and_call", "PUSH and an indirect CALL read their operand from it", "SDM Vol. 2 PUSH, CALL", PushAndCall),
        new("mmio.rep_stos", "REP STOSD makes one write per element with exact registers after each",
            "SDM Vol. 2 STOS; contract 4: unfinished REP", RepStos),
        new("mmio.rep_movs_from", "REP MOVSB from it stores each completed value", "SDM Vol. 2 MOVS", RepMovsFrom),
        new("mmio.rep_movs_between", "MOVSW between two such addresses reads, then writes what was read", "SDM Vol. 2 MOVS", MovsBetween),
        new("mmio.real_mode", "Real mode reaches it through a segment", "SDM Vol. 3A 20.1.1", RealMode),
        new("mmio.paged", "Exits carry physical addresses, not linear ones", "contract 3: Mmio address", Paged),
        new("mmio.mapped_while_pending", "A mapping made while an access is pending changes neither its value nor memory",
            "contract 4: Reads complete with a value", MappedWhilePending),
        new("mmio.fault_before_exit", "A page fault on the second page of a split access comes before any exit",
            "contract 3; SDM Vol. 3A 6.15", FaultBeforeExit)
        {
            Requires = [Capability.PreciseSplitAccess],
        },
    ];

    private static void Sizes(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(al, __byte_ptr[Mmio]);
            a.mov(bx, __word_ptr[Mmio + 2]);
            a.mov(ecx, __dword_ptr[Mmio + 4]);
            a.mov(rdx, __qword_ptr[Mmio + 8]);
            a.mov(__byte_ptr[Mmio + 1], al);
            a.mov(__word_ptr[Mmio + 3], bx);
            a.mov(__dword_ptr[Mmio + 5], ecx);
            a.mov(__qword_ptr[Mmio + 16], rdx);
            a.mov(__dword_ptr[Mmio + 32], 0x7654_3210);
            a.hlt();
        });
        m[Register.Rax] = 0x1111_1111_1111_1111;
        m[Register.Rbx] = 0x2222_2222_2222_2222;
        Read(m, Mmio, 1, 0xA1);
        Read(m, Mmio + 2, 2, 0xB2B3);
        Read(m, Mmio + 4, 4, 0xC4C5_C6C7);
        Read(m, Mmio + 8, 8, 0xD8D9_DADB_DCDD_DEDF);
        Write(m, Mmio + 1, 1, 0xA1);
        Write(m, Mmio + 3, 2, 0xB2B3);
        Write(m, Mmio + 5, 4, 0xC4C5_C6C7);
        Write(m, Mmio + 16, 8, 0xD8D9_DADB_DCDD_DEDF);
        Write(m, Mmio + 32, 4, 0x7654_3210);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x1111_1111_1111_11A1), (Register.Rbx, 0x2222_2222_2222_B2B3), (Register.Rcx, 0xC4C5_C6C7));
    }

    private static void Extension(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[Mmio]);
            a.movzx(ebx, __byte_ptr[Mmio]);
            a.movsx(rcx, __byte_ptr[Mmio]);
            a.movsxd(rdx, __dword_ptr[Mmio]);
            a.movsx(esi, __word_ptr[Mmio]);
            a.hlt();
        });
        foreach (Register register in (Register[])[Register.Rax, Register.Rbx, Register.Rcx, Register.Rdx, Register.Rsi])
            m[register] = ulong.MaxValue;
        Read(m, Mmio, 4, 0x8000_0001);
        Read(m, Mmio, 1, 0x81);
        Read(m, Mmio, 1, 0x81);
        Read(m, Mmio, 4, 0x8000_0001);
        Read(m, Mmio, 2, 0x8001);
        m.RunToHalt();
        m.VerifyRegisters(
            (Register.Rax, 0x8000_0001), (Register.Rbx, 0x81), (Register.Rcx, 0xFFFF_FFFF_FFFF_FF81), (Register.Rdx, 0xFFFF_FFFF_8000_0001),
            (Register.Rsi, 0xFFFF_8001));
    }

    private static void ValueAboveSizeIgnored(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movzx(eax, __byte_ptr[Mmio]);
            a.movzx(ebx, __word_ptr[Mmio]);
            a.mov(ecx, __dword_ptr[Mmio]);
            a.hlt();
        });
        Read(m, Mmio, 1, 0xFEDC_BA98_7654_3210);
        Read(m, Mmio, 2, 0xFEDC_BA98_7654_3210);
        Read(m, Mmio, 4, 0xFEDC_BA98_7654_3210);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x10), (Register.Rbx, 0x3210), (Register.Rcx, 0x7654_3210));
    }

    private static void ReadModifyWrite(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.add(__dword_ptr[Mmio], eax);
            a.pushfd();
            a.pop(ebx);
            a.not(__byte_ptr[Mmio + 9]);
            a.hlt();
        });
        m[Register.Rax] = 1;
        Read(m, Mmio, 4, 0xFFFF_FFFF);
        Write(m, Mmio, 4, 0);
        Read(m, Mmio + 9, 1, 0x5A);
        Write(m, Mmio + 9, 1, 0xA5);
        m.RunToHalt();
        Verify.Bits(m[Register.Rbx], 0x8D5, 0x55, "Flags of the ADD: CF, PF, AF, ZF");
    }

    private static void Exchange(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.xchg(__dword_ptr[Mmio], eax);
            a.@lock.xadd(__dword_ptr[Mmio + 4], ebx);
            a.hlt();
        });
        m[Register.Rax] = 0x1111;
        m[Register.Rbx] = 5;
        Read(m, Mmio, 4, 0x2222);
        Write(m, Mmio, 4, 0x1111);
        Read(m, Mmio + 4, 4, 100);
        Write(m, Mmio + 4, 4, 105);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x2222), (Register.Rbx, 100));
    }

    private static void CompareExchange(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.@lock.cmpxchg(__dword_ptr[Mmio], ecx);
            a.hlt();
        });
        m[Register.Rax] = 7;
        m[Register.Rcx] = 9;
        Read(m, Mmio, 4, 7);
        Write(m, Mmio, 4, 9);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 7));
        Verify.Bits(m[Register.Rflags], 0x40, 0x40, "ZF: it was equal");
    }

    private static void TestAndCompare(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.cmp(__dword_ptr[Mmio], 5);
            a.sete(al);
            a.test(__byte_ptr[Mmio + 1], 0x80);
            a.setne(ah);
            a.hlt();
        });
        Read(m, Mmio, 4, 5);
        Read(m, Mmio + 1, 1, 0x80);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x101));
    }

    private static void PageSplit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[Mmio + 0xFFD]);
            a.mov(__dword_ptr[Mmio + 0x1FFF], ebx);
            a.mov(cx, __word_ptr[Mmio + 0x2FFF]);
            a.hlt();
        });
        m[Register.Rbx] = 0x4433_2211;
        Read(m, Mmio + 0xFFD, 3, 0x332211);
        Read(m, Mmio + 0x1000, 5, 0x88_7766_5544);
        Write(m, Mmio + 0x1FFF, 1, 0x11);
        Write(m, Mmio + 0x2000, 3, 0x44_3322);
        Read(m, Mmio + 0x2FFF, 1, 0x34);
        Read(m, Mmio + 0x3000, 1, 0x12);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x8877_6655_4433_2211), (Register.Rcx, 0x1234));
    }

    private static void HalfInMemory(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[Mmio - 3]);
            a.mov(__qword_ptr[Mmio - 5], rbx);
            a.mov(ecx, __dword_ptr[GuestLayout.HighMemory - 1]);
            a.hlt();
        });
        m.Poke(Mmio - 3, 0x11, 1);
        m.Poke(Mmio - 2, 0x3322, 2);
        m.Poke(GuestLayout.HighMemory, 0xDDCCBB, 4);
        m[Register.Rbx] = 0x0807_0605_0403_0201;
        Read(m, Mmio, 5, 0x88_7766_5544);
        Write(m, Mmio, 3, 0x08_0706);
        Read(m, GuestLayout.HighMemory - 1, 1, 0xAA);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x8877_6655_4433_2211), (Register.Rcx, 0xDDCC_BBAA));
        Verify.Bytes(m.PeekBytes(Mmio - 5, 5), [1, 2, 3, 4, 5], "The half of the store that lies in memory");
    }

    private static void SixteenBytes(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movups(xmm2, __xmmword_ptr[Mmio]);
            a.movaps(__xmmword_ptr[Mmio + 32], xmm2);
            a.movups(__xmmword_ptr[GuestLayout.Data], xmm2);
            a.hlt();
        });
        Read(m, Mmio, 8, 0x1111_2222_3333_4444);
        Read(m, Mmio + 8, 8, 0x5555_6666_7777_8888);
        Write(m, Mmio + 32, 8, 0x1111_2222_3333_4444);
        Write(m, Mmio + 40, 8, 0x5555_6666_7777_8888);
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data), 0x1111_2222_3333_4444UL, "Low half");
        Verify.Equal(m.Peek(GuestLayout.Data + 8), 0x5555_6666_7777_8888UL, "High half");
    }

    private static void TenBytes(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.fninit();
            a.fld1();
            a.fstp(__tbyte_ptr[Mmio]);
            a.hlt();
        });
        Write(m, Mmio, 8, 0x8000_0000_0000_0000);
        Write(m, Mmio + 8, 2, 0x3FFF);
        m.RunToHalt();
    }

    private static void PushAndCall(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.push(__qword_ptr[Mmio]);
            a.call(__qword_ptr[Mmio + 8]);
            a.hlt();
        });
        m.Assemble(64, GuestLayout.Code + 0x100, a =>
        {
            a.mov(rbx, __qword_ptr[rsp + 8]);
            a.ret();
        });
        Read(m, Mmio, 8, 0x1234_5678_9ABC_DEF0);
        Read(m, Mmio + 8, 8, GuestLayout.Code + 0x100);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x1234_5678_9ABC_DEF0), (Register.Rsp, GuestLayout.StackTop - 8));
    }

    private static void RepStos(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rep.stosd();
            a.hlt();
        });
        m[Register.Rax] = 0xABCD_EF01;
        m[Register.Rdi] = Mmio;
        m[Register.Rcx] = 4;
        VpExit exit = m.Run();
        for (ulong i = 0; i < 4; i++)
        {
            Verify.True(exit.Kind == ExitKind.Mmio, $"Element {i} exits ({exit})");
            Verify.Equal(exit.Mmio, new MmioExit { Address = Mmio + (4 * i), Size = 4, IsWrite = true, Value = 0xABCD_EF01 },
                $"Element {i}");
            CompletionStatus status = m.Processor.CompletePending(out exit);
            if (status == CompletionStatus.Done)
            {
                ulong left = 3 - i;
                m.VerifyRegisters((Register.Rcx, left), (Register.Rdi, Mmio + (4 * (i + 1))),
                    (Register.Rip, GuestLayout.Code + (left == 0 ? 2UL : 0)));
                if (i != 3)
                    exit = m.Run();
            }
        }
        m.RunToHalt();
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rdi, Mmio + 16));
    }

    private static void RepMovsFrom(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rep.movsb();
            a.hlt();
        });
        m[Register.Rsi] = Mmio + 0xFFE;
        m[Register.Rdi] = GuestLayout.Data + 0xFFE;
        m[Register.Rcx] = 4;
        for (ulong i = 0; i < 4; i++)
            Read(m, Mmio + 0xFFE + i, 1, 0xA0 + i);
        m.RunToHalt();
        Verify.Bytes(m.PeekBytes(GuestLayout.Data + 0xFFE, 4), [0xA0, 0xA1, 0xA2, 0xA3], "What was stored");
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rsi, Mmio + 0x1002), (Register.Rdi, GuestLayout.Data + 0x1002));
    }

    private static void MovsBetween(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.movsw();
            a.hlt();
        });
        m[Register.Rsi] = Mmio;
        m[Register.Rdi] = Mmio + 0x100;
        Read(m, Mmio, 2, 0xBEEF);
        Write(m, Mmio + 0x100, 2, 0xBEEF);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsi, Mmio + 2), (Register.Rdi, Mmio + 0x102));
    }

    private static void RealMode(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.mov(ax, 0xA123);
            a.mov(es, ax);
            a.mov(bx, __word_ptr.es[0x4567]);
            a.mov(__byte_ptr.es[0x10], bl);
            a.hlt();
        });
        Read(m, 0xA_1230 + 0x4567, 2, 0x1234);
        Write(m, 0xA_1240, 1, 0x34);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x1234));
    }

    private static void Paged(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data + 0x10]);
            a.mov(__dword_ptr[GuestLayout.Data + 0x20], eax);
            a.hlt();
        });
        m.ChangePage(GuestLayout.Data, _ => (Mmio + 0x3000) | 7);
        Read(m, Mmio + 0x3010, 4, 0x77);
        Write(m, Mmio + 0x3020, 4, 0x77);
        m.RunToHalt();
    }

    private static void MappedWhilePending(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[Mmio]);
            a.mov(ecx, __dword_ptr[Mmio]);
            a.mov(__dword_ptr[Mmio + 0x1000], ebx);
            a.hlt();
        });
        m[Register.Rbx] = 0x77;
        m.Poke(GuestLayout.HighMemory, 0x2222, 4);
        m.RunToMmio(false, Mmio, 4);
        m.Memory.Map(Mmio, m.Ram, GuestLayout.HighMemory, 0x1000, GuestAccess.All);
        m.Processor.CompleteRead(0x1111);
        m.RunToMmio(true, Mmio + 0x1000, 4);
        m.Memory.Map(Mmio + 0x1000, m.Ram, GuestLayout.HighMemory + 0x1000, 0x1000, GuestAccess.All);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x1111), (Register.Rcx, 0x2222));
        Verify.Equal(m.Peek(GuestLayout.HighMemory + 0x1000, 4), 0UL, "The memory mapped under the store");
    }

    private static void FaultBeforeExit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[Mmio + 0xFFC]);
            a.hlt();
        });
        m[Register.Rax] = 0x1234;
        m.ChangePage(Mmio + 0x1000, entry => entry & ~1UL);
        ExceptionFrame frame = m.RunToException(14);
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP of the fault");
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        m.VerifyRegisters((Register.Cr2, Mmio + 0x1000), (Register.Rax, 0x1234));
    }

    private static void Read(GuestMachine m, ulong address, int size, ulong answer)
    {
        m.RunToMmio(false, address, size);
        m.Processor.CompleteRead(answer);
    }

    private static void Write(GuestMachine m, ulong address, int size, ulong value) =>
        Verify.Equal(m.RunToMmio(true, address, size).Value, value, $"Value written to 0x{address:X}");
}
