using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Port accesses leave the guest decoded, and come back complete.</summary>
internal static class PortCases
{
    public static ConformanceCase[] All =>
    [
        new("port.out_forms", "OUT in every size and both forms carries port, size and value", "SDM Vol. 2 OUT; contract 4: PortIo",
            OutForms),
        new("port.in_forms", "IN in every size writes that part of RAX alone; 32 bits clear the upper half",
            "SDM Vol. 2 IN; SDM Vol. 1 3.4.1.1", InForms),
        new("port.value_above_size_ignored", "Bits above the access size of a completed read are ignored",
            "contract 4: IVirtualProcessor.CompleteRead", ValueAboveSizeIgnored),
        new("port.rep_outsb", "REP OUTSB delivers every byte in order and leaves exact registers",
            "SDM Vol. 2 OUTS; contract 3: String I/O", RepOutsb),
        new("port.rep_insw", "REP INSW stores every word in order and leaves exact registers", "SDM Vol. 2 INS", RepInsw),
        new("port.rep_insd_down", "REP INSD with DF set runs downwards", "SDM Vol. 2 INS", RepInsdDown),
        new("port.rep_zero", "REP OUTSB with RCX 0 makes no exit", "SDM Vol. 2 REP", RepZero),
        new("port.string_page_edge", "String elements of one exit never cross a page", "contract 3: stops at page edges", StringPageEdge),
        new("port.string_fault_in_middle", "REP INSB into a page that is not present faults with exact RCX, RDI, RIP and CR2",
            "SDM Vol. 2 REP; SDM Vol. 3A 6.15 #PF", StringFaultInMiddle),
        new("port.segment_override", "OUTS takes its source segment from the prefix", "SDM Vol. 2 OUTS", SegmentOverride),
        new("port.user_iopl", "A port access at level 3 with IOPL 3 needs no bitmap", "SDM Vol. 1 18.5", UserIopl),
        new("port.user_without_iopl_faults", "A port access at level 3 without IOPL and bitmap is #GP(0), not an exit", "SDM Vol. 1 18.5",
            UserWithoutIoplFaults),
        new("port.user_bitmap", "The I/O permission bitmap lets level 3 reach just the ports it clears", "SDM Vol. 1 18.5.2", UserBitmap),
    ];

    private static void OutForms(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, 0x8765_4321);
            a.@out(0x10, al);
            a.@out(0x11, ax);
            a.@out(0x12, eax);
            a.mov(edx, 0xFFFE);
            a.@out(dx, al);
            a.@out(dx, ax);
            a.@out(dx, eax);
            a.hlt();
        });
        (ushort Port, byte Size, ulong Value)[] expected =
        [
            (0x10, 1, 0x21), (0x11, 2, 0x4321), (0x12, 4, 0x8765_4321), (0xFFFE, 1, 0x21), (0xFFFE, 2, 0x4321), (0xFFFE, 4, 0x8765_4321),
        ];
        foreach ((ushort port, byte size, ulong value) in expected)
        {
            PortIoExit io = m.RunToPort(port);
            Verify.Equal(io, new PortIoExit { Port = port, Size = size, IsWrite = true, Count = 1, Value = value }, "Exit");
        }
        m.RunToHalt();
    }

    private static void InForms(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, 0x1111_2222_3333_4444UL);
            a.@in(al, 0x10);
            a.mov(rbx, rax);
            a.mov(dx, 0x1234);
            a.@in(ax, dx);
            a.mov(rcx, rax);
            a.@in(eax, dx);
            a.hlt();
        });
        (ushort Port, byte Size, ulong Answer)[] expected = [(0x10, 1, 0xA1), (0x1234, 2, 0xB2B2), (0x1234, 4, 0xC3C3_C3C3)];
        foreach ((ushort port, byte size, ulong answer) in expected)
        {
            PortIoExit io = m.RunToPort(port);
            Verify.Equal(io.Size, size, "Size");
            Verify.True(!io.IsWrite && !io.IsString && io.Count == 1, "One plain read");
            m.Processor.CompleteRead(answer);
        }
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x1111_2222_3333_44A1), (Register.Rcx, 0x1111_2222_3333_B2B2), (Register.Rax, 0xC3C3_C3C3));
    }

    private static void ValueAboveSizeIgnored(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.xor(eax, eax);
            a.@in(al, 0x10);
            a.mov(ebx, eax);
            a.@in(ax, 0x10);
            a.mov(ecx, eax);
            a.@in(eax, 0x10);
            a.hlt();
        });
        for (int i = 0; i < 3; i++)
        {
            m.RunToPort(0x10);
            m.Processor.CompleteRead(0xFEDC_BA98_7654_3210);
        }
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x10), (Register.Rcx, 0x3210), (Register.Rax, 0x7654_3210));
    }

    private static void RepOutsb(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rep.outsb();
            a.hlt();
        });
        byte[] data = [.. Enumerable.Range(0, 100).Select(i => (byte)(i * 7))];
        m.Memory.Write(GuestLayout.Data, data);
        m[Register.Rsi] = GuestLayout.Data;
        m[Register.Rcx] = (ulong)data.Length;
        m[Register.Rdx] = 0x55;
        List<byte> seen = [];
        while (seen.Count < data.Length)
        {
            PortIoExit io = m.RunToPort(0x55);
            Verify.True(io is { IsString: true, IsWrite: true, Size: 1, Count: >= 1 }, $"A string write of bytes ({io})");
            Verify.Equal(m.Processor.PendingData.Length, io.Count, "Length of the pending data");
            Verify.Equal(io.Value, m.Processor.PendingData[0], "Value is the first element");
            seen.AddRange(m.Processor.PendingData);
        }
        m.RunToHalt();
        Verify.Bytes(seen.ToArray(), data, "Elements");
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rsi, GuestLayout.Data + 100), (Register.Rip, GuestLayout.Code + 3));
    }

    private static void RepInsw(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.rep.insw();
            a.hlt();
        });
        m[Register.Rdi] = GuestLayout.Data;
        m[Register.Rcx] = 50;
        m[Register.Rdx] = 0x55;
        FeedInput(m, 50, 2);
        m.RunToHalt();
        for (ulong i = 0; i < 50; i++)
            Verify.Equal(m.Peek(GuestLayout.Data + (2 * i), 2), 0x1000 + i, $"Word {i}");
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rdi, GuestLayout.Data + 100));
    }

    private static void RepInsdDown(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.std();
            a.rep.insd();
            a.hlt();
        });
        m[Register.Rdi] = GuestLayout.Data + 0x40;
        m[Register.Rcx] = 5;
        m[Register.Rdx] = 0x55;
        FeedInput(m, 5, 4);
        m.RunToHalt();
        for (ulong i = 0; i < 5; i++)
            Verify.Equal(m.Peek(GuestLayout.Data + 0x40 - (4 * i), 4), 0x1000 + i, $"Element {i}");
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rdi, GuestLayout.Data + 0x40 - 20));
    }

    /// <summary>Answers string reads with 0x1000, 0x1001 and so on.</summary>
    private static void FeedInput(GuestMachine m, int count, int size)
    {
        int given = 0;
        while (given < count)
        {
            PortIoExit io = m.RunToPort(0x55);
            Verify.True(io is { IsString: true, IsWrite: false, Count: >= 1 } && io.Size == size,
                $"A string read of {size} bytes an element ({io})");
            Span<byte> data = m.Processor.PendingData;
            Verify.Equal(data.Length, io.Count * size, "Length of the pending data");
            for (int i = 0; i < data.Length; i++)
                data[i] = (byte)((0x1000UL + (ulong)(given + (i / size))) >> (8 * (i % size)));
            given += io.Count;
            m.Processor.CompleteRead(0);
        }
    }

    private static void RepZero(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.rep.outsb();
            a.hlt();
        });
        m[Register.Rsi] = GuestLayout.Data;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsi, GuestLayout.Data), (Register.Rcx, 0));
    }

    private static void StringPageEdge(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.rep.outsd();
            a.hlt();
        });
        const int Count = 2500;
        ulong at = GuestLayout.Data + 8;
        for (ulong i = 0; i < Count; i++)
            m.Poke(at + (4 * i), 0xA000_0000 + i, 4);
        m[Register.Rsi] = at;
        m[Register.Rcx] = Count;
        m[Register.Rdx] = 0x55;
        uint next = 0xA000_0000;
        while (next < 0xA000_0000 + Count)
        {
            PortIoExit io = m.RunToPort(0x55);
            ulong first = at;
            foreach (uint element in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(m.Processor.PendingData))
                Verify.Equal(element, next++, "Element");
            at += (ulong)(4 * io.Count);
            Verify.Equal((at - 1) >> 12, first >> 12, $"Page of the last byte of the exit that began at 0x{first:X}");
        }
        m.RunToHalt();
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rsi, at));
    }

    private static void StringFaultInMiddle(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rep.insb();
            a.hlt();
        });
        ulong hole = GuestLayout.Data + 0x1000;
        m.ChangePage(hole, entry => entry & ~1UL);
        m[Register.Rdi] = hole - 3;
        m[Register.Rcx] = 8;
        m[Register.Rdx] = 0x55;
        int given = 0;
        VpExit exit = m.Run();
        while (exit is { Kind: ExitKind.PortIo, PortIo.Port: 0x55 })
        {
            m.Processor.PendingData.Fill(0x77);
            given += exit.PortIo.Count;
            m.Processor.CompleteRead(0);
            exit = m.Run();
        }
        Verify.True(exit is { Kind: ExitKind.PortIo, PortIo.Port: GuestLayout.ExceptionPort },
            $"A fault after the elements that fit (got {exit})");
        m.Finish();
        Verify.Equal(given, 3, "Elements before the fault");
        ulong frame = m[Register.Rsp];
        Verify.Equal(m.Peek(frame), 2UL, "Error code of the page fault: write, not present");
        Verify.Equal(m.Peek(frame + 8), GuestLayout.Code, "RIP of the fault");
        m.VerifyRegisters((Register.Rcx, 5), (Register.Rdi, hole), (Register.Cr2, hole));
    }

    private static void SegmentOverride(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.mov(ax, 0x2000);
            a.mov(fs, ax);
            a.db(0x64, 0x6E); // fs outsb
            a.hlt();
        });
        m.Poke(0x2_0005, 0x5A, 1);
        m[Register.Rsi] = 5;
        m[Register.Rdx] = 0x55;
        PortIoExit io = m.RunToPort(0x55);
        Verify.Equal(io.Value, 0x5AUL, "Element");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsi, 6));
    }

    private static void UserWithoutIoplFaults(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.@out(0x10, al), user: true);
        m[Register.Rflags] = 2;
        WithoutBitmap(m);
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP of the fault");
    }

    private static void UserIopl(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.@out((byte)GuestLayout.MarkPort, al), user: true);
        WithoutBitmap(m);
        m.RunToMark();
    }

    private static void WithoutBitmap(GuestMachine m)
    {
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Tr = state.Segments.Tr with { Limit = 0x67 };
        m.Processor.SetState(RegisterGroups.Segments, state);
    }

    private static void UserBitmap(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.@out(0x10, al);
                a.@out(0x10, ax);
            },
            user: true);
        m[Register.Rflags] = 2;
        // A bitmap right after the task-state segment: port 0x10 is free, 0x11 is not, then the byte of ones that must follow.
        m.Poke(GuestLayout.Tss64 + 0x68, 0xFFFF_FFFF_FFFE_FFFF);
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Tr = state.Segments.Tr with { Limit = 0x6F };
        m.Processor.SetState(RegisterGroups.Segments, state);
        m.RunToPort(0x10);
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.Rip, GuestLayout.Code + 2, "RIP of the fault");
    }
}
