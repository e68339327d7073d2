using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The second level as the guest meets it: rights, violations, walks.</summary>
internal static class SlatCases
{
    public static ConformanceCase[] All =>
    [
        new("slat.unmapped_is_mmio", "The same load reads memory, and exits once the page is unmapped", "contract 3: Unmap, Mmio",
            UnmappedIsMmio),
        new("slat.read_only_read", "Read-only memory is read and executed without exits", "contract 3: Rights", ReadOnlyRead),
        new("slat.write_discard", "A refused write exits with data and size; Discard finishes the instruction and leaves memory",
            "contract 3: SlatViolation, Discard", WriteDiscard),
        new("slat.write_perform", "After the rights are changed, Perform makes the store", "contract 3: Perform", WritePerform),
        new("slat.discard_after_mend", "Discard leaves memory alone even where the rights were changed before",
            "contract 3: Discard: memory unchanged", DiscardAfterMend),
        new("slat.write_needs_choice", "Run without a choice about a refused write throws", "contract 3: Run without a choice",
            WriteNeedsChoice),
        new("slat.write_split", "A store split over a writable and a read-only page is refused on the second alone",
            "contract 3: violations and splits", WriteSplit),
        new("slat.write_partial_perform", "Perform stores just the bytes of the access", "contract 3: Perform", WritePartialPerform),
        new("slat.rmw_read_only", "A locked read-modify-write of read-only memory is a refused write", "contract 3: SlatViolation",
            RmwReadOnly),
        new("slat.fetch_unmapped", "A fetch from unmapped memory is a violation with its address, at the right RIP",
            "contract 3: Fetch from unmapped", FetchUnmapped),
        new("slat.fetch_portable", "Without enforcement, memory without execute right runs or is refused, never worse",
            "contract 3: enforceExecute", FetchPortable),
        new("slat.fetch_enforced", "With enforcement, a fetch from memory without execute right is a violation",
            "contract 3: enforceExecute", FetchEnforced)
        {
            Requires = [Capability.ExecuteProtection],
        },
        new("slat.execute_only", "Execute-only memory runs and refuses reads, or cannot be mapped",
            "contract 3: Execute-only is a capability", ExecuteOnly),
        new("slat.walk_into_hole", "A page walk into a hole is a violation with the walk flag and the entry's address",
            "contract 3: A page walk into a hole", WalkIntoHole)
        {
            Requires = [Capability.WalkViolations],
        },
        new("slat.walk_read_only", "A page walk through read-only memory is a refused write with the walk flag",
            "SDM Vol. 3C 29.3.3.2; APM Vol. 2 15.25.5; contract 3", WalkReadOnly)
        {
            Requires = [Capability.WalkViolations],
        },
        new("slat.violation_mended", "After a violation is mended, the instruction runs", "contract 3: SlatViolation", ViolationMended),
        new("slat.doorbell", "A store that rings a doorbell signals without an exit, any other exits", "contract 3: Doorbells",
            RingDoorbell)
        {
            Requires = [Capability.Doorbells],
        },
        new("slat.statistics", "Nested tables count their leaves", "contract 3: Statistics", Statistics),
    ];

    private static void UnmappedIsMmio(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.mov(eax, __dword_ptr[GuestLayout.Data]);
            a.@out((byte)GuestLayout.MarkPort, al);
            a.jmp(again);
        });
        m.Poke(GuestLayout.Data, 0x55, 4);
        m.RunToMark();
        m.VerifyRegisters((Register.Rax, 0x55));
        m.Memory.Unmap(GuestLayout.Data, 0x1000);
        m.RunToMmio(false, GuestLayout.Data, 4);
        m.Processor.CompleteRead(0x44);
        m.RunToMark();
        m.VerifyRegisters((Register.Rax, 0x44));
        m.Memory.Map(GuestLayout.Data, m.Ram, GuestLayout.Data, 0x1000, GuestAccess.All);
        m.RunToMark();
        m.VerifyRegisters((Register.Rax, 0x55));
    }

    private static void ReadOnlyRead(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data]);
            a.call(GuestLayout.Data + 0x10);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x1234, 4);
        m.Assemble(32, GuestLayout.Data + 0x10, a =>
        {
            a.mov(ebx, 7);
            a.ret();
        });
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadExecute);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x1234), (Register.Rbx, 7));
    }

    private static GuestMachine Storing(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(__dword_ptr[GuestLayout.Data + 4], eax);
            a.inc(ebx);
            a.hlt();
        });
        m[Register.Rax] = 0x1122_3344;
        m.Poke(GuestLayout.Data, 0x5555_5555_5555_5555);
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadExecute);
        return m;
    }

    private static void WriteDiscard(ConformanceContext c)
    {
        GuestMachine m = Storing(c);
        SlatViolationExit violation = m.RunToViolation(GuestAccess.Write, GuestLayout.Data + 4);
        Verify.Equal(violation.Size, (byte)4, "Size");
        Verify.Equal(violation.Value, 0x1122_3344UL, "Value");
        Verify.True(!violation.PageWalk, "Not a page walk");
        Verify.True(m.Processor.IsPending, "The store is pending");
        m.Processor.CompleteWrite(WriteResolution.Discard);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
        Verify.Equal(m.Peek(GuestLayout.Data), 0x5555_5555_5555_5555UL, "Memory");
    }

    private static void WritePerform(ConformanceContext c)
    {
        GuestMachine m = Storing(c);
        m.RunToViolation(GuestAccess.Write, GuestLayout.Data + 4);
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.All);
        m.Processor.CompleteWrite(WriteResolution.Perform);
        m.Finish();
        Verify.Equal(m.Peek(GuestLayout.Data), 0x1122_3344_5555_5555UL, "Memory after CompletePending");
        m.VerifyRegisters((Register.Rbx, 0));
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void DiscardAfterMend(ConformanceContext c)
    {
        GuestMachine m = Storing(c);
        m.RunToViolation(GuestAccess.Write, GuestLayout.Data + 4);
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.All);
        m.Processor.CompleteWrite(WriteResolution.Discard);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
        Verify.Equal(m.Peek(GuestLayout.Data), 0x5555_5555_5555_5555UL, "Memory");
    }

    private static void WriteNeedsChoice(ConformanceContext c)
    {
        GuestMachine m = Storing(c);
        m.RunToViolation(GuestAccess.Write, GuestLayout.Data + 4);
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run without a choice");
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompleteRead(0), "CompleteRead for a refused write");
        Verify.Throws<ArgumentException>(() => m.Processor.CompleteWrite((WriteResolution)77), "An unknown choice");
        m.Processor.CompleteWrite(WriteResolution.Discard);
        m.RunToHalt();
    }

    private static void WriteSplit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(__qword_ptr[GuestLayout.Data + 0xFFD], rax);
            a.hlt();
        });
        m[Register.Rax] = 0x8877_6655_4433_2211;
        m.Memory.Protect(GuestLayout.Data + 0x1000, 0x1000, GuestAccess.Read);
        SlatViolationExit violation = m.RunToViolation(GuestAccess.Write, GuestLayout.Data + 0x1000);
        Verify.Equal(violation.Size, (byte)5, "Size of the refused half");
        Verify.Equal(violation.Value, 0x88_7766_5544UL, "Value of the refused half");
        m.Processor.CompleteWrite(WriteResolution.Discard);
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data + 0xFFD), 0x33_2211UL, "Memory: the first half alone");
    }

    private static void WritePartialPerform(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(__byte_ptr[GuestLayout.Data + 3], al);
            a.mov(__word_ptr[GuestLayout.Data + 5], ax);
            a.hlt();
        });
        m[Register.Rax] = 0x1234_5678;
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.Read);
        for (int i = 0; i < 2; i++)
        {
            m.RunToViolation(GuestAccess.Write, GuestLayout.Data + (i == 0 ? 3UL : 5));
            m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadWrite);
            m.Processor.CompleteWrite(WriteResolution.Perform);
            m.Finish();
            m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.Read);
        }
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data), 0x0056_7800_7800_0000UL, "Memory");
    }

    private static void RmwReadOnly(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@lock.inc(__dword_ptr[GuestLayout.Data]);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 41, 4);
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.Read);
        SlatViolationExit violation = m.RunToViolation(GuestAccess.Write, GuestLayout.Data);
        Verify.Equal(violation.Value, 42UL, "Value");
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadWrite);
        m.Processor.CompleteWrite(WriteResolution.Perform);
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data, 4), 42UL, "Memory");
    }

    private static void FetchUnmapped(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.jmp(GuestLayout.Mmio + 0x123));
        m.RunToViolation(GuestAccess.Execute, GuestLayout.Mmio + 0x123);
        m.VerifyRegisters((Register.Rip, GuestLayout.Mmio + 0x123));
    }

    private static void FetchPortable(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.jmp(GuestLayout.Data));
        m.Assemble(32, GuestLayout.Data, a => a.hlt());
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadWrite);
        VpExit exit = m.Run();
        Verify.True(
            exit.Kind == ExitKind.Halt || (exit.Kind == ExitKind.SlatViolation && exit.SlatViolation is { Access: GuestAccess.Execute,
                Address: GuestLayout.Data }),
            $"HLT runs or its fetch is refused ({exit})");
    }

    private static void FetchEnforced(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.jmp(GuestLayout.Data + 8), configure: o => o with { EnforceExecute = true });
        m.Assemble(32, GuestLayout.Data + 8, a => a.hlt());
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadWrite);
        m.RunToViolation(GuestAccess.Execute, GuestLayout.Data + 8);
        m.VerifyRegisters((Register.Rip, GuestLayout.Data + 8));
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.All);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rip, GuestLayout.Data + 9));
    }

    private static void ExecuteOnly(ConformanceContext c)
    {
        if (!c.Has(Capability.ExecuteOnly))
        {
            ISecondLevelAddressTranslation memory = c.CreateMachine().Memory;
            Verify.Throws<NotSupportedException>(() => memory.Protect(0, 0x1000, GuestAccess.Execute), "Execute-only, not declared",
                Capability.ExecuteOnly.Name);
            Verify.Equal(memory.Translate(0, GuestAccess.Read).Status, TranslationStatus.Success, "The page after the refusal");
            return;
        }
        GuestMachine m = c.Enter(
            GuestMode.Protected32,
            a =>
            {
                a.call(GuestLayout.Data);
                a.mov(eax, __dword_ptr[GuestLayout.Data]);
                a.hlt();
            },
            configure: o => o with { EnforceExecute = c.Has(Capability.ExecuteProtection) });
        m.Assemble(32, GuestLayout.Data, a =>
        {
            a.mov(ebx, 7);
            a.ret();
        });
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.Execute);
        m.RunToViolation(GuestAccess.Read, GuestLayout.Data);
        m.VerifyRegisters((Register.Rbx, 7));
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadExecute);
        m.RunToHalt();
        Verify.NotEqual(m[Register.Rax], 0UL, "What was read once it was allowed");
    }

    private static void WalkIntoHole(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[rbx]);
            a.hlt();
        });
        // The second PDPT entry points to a page directory that is not there.
        m.Poke(GuestLayout.LongTables + 0x1000 + 8, (GuestLayout.Mmio + 0x5000) | 7);
        m[Register.Rbx] = 0x4060_0000;
        VpExit exit = m.RunTo(ExitKind.SlatViolation);
        Verify.True(exit.SlatViolation.PageWalk, "The walk flag");
        Verify.Equal(exit.SlatViolation.Address & ~7UL, GuestLayout.Mmio + 0x5000 + (3 * 8), "Address of the entry");
        Verify.True(!m.Processor.IsPending, "A walk leaves nothing pending");
        m.VerifyRegisters((Register.Rip, GuestLayout.Code));
        m.Poke(GuestLayout.LongTables + 0x1000 + 8, (GuestLayout.LongTables + 0x2000) | 7);
        // The fourth large page is beyond memory, so the load becomes memory-mapped.
        m.RunToMmio(false, 0x60_0000, 8);
        m.Processor.CompleteRead(5);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 5));
    }

    private static void WalkReadOnly(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[rbx]);
            a.hlt();
        });
        const ulong Directory = GuestLayout.HighMemory;
        m.Poke(GuestLayout.LongTables + 0x1000 + 8, Directory | 7);
        m.Poke(Directory, 0x87);
        m.Poke(GuestLayout.Data, 0x77);
        m.Memory.Protect(Directory, 0x1000, GuestAccess.Read);
        m[Register.Rbx] = 0x4000_0000 + GuestLayout.Data;
        VpExit exit = m.RunTo(ExitKind.SlatViolation);
        Verify.True(exit.SlatViolation.PageWalk, "The walk flag");
        Verify.Equal(exit.SlatViolation.Address & ~7UL, Directory, "Address of the entry");
        Verify.Equal(exit.SlatViolation.Access, GuestAccess.Write, "Kind of access: a walk counts as a write");
        m.Memory.Protect(Directory, 0x1000, GuestAccess.ReadWrite);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x77));
    }

    private static void ViolationMended(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.jmp(GuestLayout.Mmio));
        m.RunToViolation(GuestAccess.Execute, GuestLayout.Mmio);
        m.Memory.Map(GuestLayout.Mmio, m.Ram, GuestLayout.HighMemory, 0x1000, GuestAccess.All, replace: true);
        m.Assemble(32, GuestLayout.Mmio, a =>
        {
            a.mov(eax, 5);
            a.hlt();
        });
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 5));
    }

    private static void RingDoorbell(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(__dword_ptr[GuestLayout.Mmio], 7);
            a.mov(__dword_ptr[GuestLayout.Mmio], 8);
            a.mov(__word_ptr[GuestLayout.Mmio], 7);
            a.mov(__dword_ptr[GuestLayout.Mmio], 7);
            a.hlt();
        });
        using AutoResetEvent signal = new(false);
        IDisposable registration = m.Memory.RegisterDoorbell(new Doorbell(GuestLayout.Mmio, 4, 7), signal);
        Verify.Equal(m.RunToMmio(true, GuestLayout.Mmio, 4).Value, 8UL, "The store of another value");
        Verify.True(signal.WaitOne(1000), "The doorbell rang");
        m.RunToMmio(true, GuestLayout.Mmio, 2);
        registration.Dispose();
        Verify.Equal(m.RunToMmio(true, GuestLayout.Mmio, 4).Value, 7UL, "The store after unregistering");
        Verify.True(!signal.WaitOne(0), "The doorbell is silent");
        m.RunToHalt();
    }

    private static void Statistics(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        ConformanceContext.SkipUnless(m.Memory.Format is SlatFormat.Ept or SlatFormat.Npt, "The platform does not show its nested tables.");
        SlatStatistics mapped = m.Memory.Statistics;
        ulong bytes = (mapped.Pages4K << 12) + (mapped.Pages2M << 21) + (mapped.Pages1G << 30);
        Verify.Equal(bytes, GuestLayout.End - (GuestLayout.HighMemory - GuestLayout.Mmio), "Bytes mapped by leaves");
        Verify.True(mapped.TablePages >= 1, "At least one table page");
        m.Memory.Unmap(0, GuestLayout.End);
        SlatStatistics empty = m.Memory.Statistics;
        Verify.Equal(empty.Pages4K + empty.Pages2M + empty.Pages1G, 0UL, "Leaves after unmapping everything");
    }
}
