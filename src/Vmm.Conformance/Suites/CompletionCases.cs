using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The protocol of pending instructions.</summary>
internal static class CompletionCases
{
    private const ulong Mmio = GuestLayout.Mmio;

    public static ConformanceCase[] All =>
    [
        new("completion.run_needs_answer", "Run after an unanswered read throws, and the read can still be answered", "contract 4: Pending",
            RunNeedsAnswer),
        new("completion.state_frozen", "While an instruction is pending, writing state throws", "contract 4: while pending", StateFrozen),
        new("completion.wrong_answer_refused", "An answer of the wrong kind, or a second one, is refused", "contract 4: Pending",
            WrongAnswerRefused),
        new("completion.nothing_pending_refused", "Completing without a pending instruction is refused", "contract 4: CompletePending",
            NothingPendingRefused),
        new("completion.finishes_one_instruction", "CompletePending ends after the instruction and starts no other",
            "contract 4: without starting another", FinishesOneInstruction),
        new("completion.further_exit", "CompletePending of a read-modify-write gives its write as a further exit",
            "contract 4: a further exit of the same instruction", FurtherExit),
        new("completion.split_further_exit", "CompletePending of a split read gives the second half as a further exit",
            "contract 4: second half", SplitFurtherExit),
        new("completion.rep_in_unfinished", "Between elements of REP INSB the registers are exact", "contract 4: an unfinished REP",
            RepInUnfinished),
        new("completion.cancel_while_pending", "A cancel of a pending instruction loses neither the value nor the instruction",
            "contract 4: Cancel; Pending", CancelWhilePending),
        new("completion.write_is_answered", "A pending write needs no answer: Run goes on",
            "contract 4: Run finishes a completed instruction", WriteIsAnswered),
    ];

    private static void RunNeedsAnswer(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@in(al, 0x10);
            a.mov(ebx, __dword_ptr[Mmio]);
            a.hlt();
        });
        m.RunToPort(0x10);
        Verify.True(m.Processor.IsPending, "IsPending after a port read");
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run with an unanswered port read");
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompletePending(out _), "CompletePending with an unanswered port read");
        m.Processor.CompleteRead(0x42);
        m.RunToMmio(false, Mmio, 4);
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run with an unanswered memory-mapped read");
        m.Processor.CompleteRead(0x99);
        m.RunToHalt();
        Verify.True(!m.Processor.IsPending, "Nothing is pending after HLT");
        Verify.Bits(m[Register.Rax], 0xFF, 0x42, "AL");
        m.VerifyRegisters((Register.Rbx, 0x99));
    }

    private static void StateFrozen(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out(0x10, al);
            a.hlt();
        });
        m.Processor.GetState(RegisterGroups.General, out ProcessorState state);
        m.RunToPort(0x10);
        Verify.Throws<InvalidOperationException>(() => m.Processor[Register.Rbx] = 1, "Writing a register");
        Verify.Throws<InvalidOperationException>(() => m.Processor.SetState(RegisterGroups.General, state), "SetState");
        Verify.Throws<InvalidOperationException>(() => m.Processor.SetXsave(new byte[m.Processor.XsaveSize]), "SetXsave");
        m.Finish();
        m[Register.Rbx] = 5;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 5));
    }

    private static void WrongAnswerRefused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@in(al, 0x10);
            a.@out(0x11, al);
            a.hlt();
        });
        m.RunToPort(0x10);
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompleteWrite(WriteResolution.Discard), "CompleteWrite for a port read");
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompleteCpuid(default), "CompleteCpuid for a port read");
        Verify.Throws<InvalidOperationException>(m.Processor.CompleteWithFault, "CompleteWithFault for a port read");
        m.Processor.CompleteRead(0x31);
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompleteRead(0x32), "A second CompleteRead");
        Verify.Equal(m.RunToPort(0x11).Value, 0x31UL, "What the guest read");
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompleteRead(1), "CompleteRead for a port write");
        m.RunToHalt();
    }

    private static void NothingPendingRefused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompletePending(out _), "CompletePending before the first run");
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompleteRead(0), "CompleteRead before the first run");
        m.RunToHalt();
        Verify.Throws<InvalidOperationException>(() => m.Processor.CompletePending(out _), "CompletePending after HLT");
        Verify.True(m.Processor.PendingData.IsEmpty, "No pending data after HLT");
    }

    private static void FinishesOneInstruction(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@in(eax, 0x10);
            a.inc(ebx);
            a.mov(__dword_ptr[Mmio], eax);
            a.inc(ebx);
            a.hlt();
        });
        m.RunToPort(0x10);
        m.Processor.CompleteRead(7);
        m.Finish();
        Verify.True(!m.Processor.IsPending, "Nothing is pending after CompletePending");
        m.VerifyRegisters((Register.Rax, 7), (Register.Rbx, 0), (Register.Rip, GuestLayout.Code + 2));
        m.RunToMmio(true, Mmio, 4);
        m.Finish();
        m.VerifyRegisters((Register.Rbx, 1));
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 2));
    }

    private static void FurtherExit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.or(__dword_ptr[Mmio], 0xF0);
            a.hlt();
        });
        m.RunToMmio(false, Mmio, 4);
        m.Processor.CompleteRead(0x0F);
        VpExit exit = m.FinishToFurtherExit();
        Verify.True(exit.Kind == ExitKind.Mmio, $"The further exit is the write ({exit})");
        Verify.Equal(exit.Mmio, new MmioExit { Address = Mmio, Size = 4, IsWrite = true, Value = 0xFF }, "The further exit");
        Verify.True(m.Processor.IsPending, "The instruction is still pending");
        m.Finish();
        m.RunToHalt();
    }

    private static void SplitFurtherExit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, __dword_ptr[Mmio + 0xFFE]);
            a.hlt();
        });
        m.RunToMmio(false, Mmio + 0xFFE, 2);
        m.Processor.CompleteRead(0x2211);
        VpExit exit = m.FinishToFurtherExit();
        Verify.True(exit.Kind == ExitKind.Mmio, $"The further exit is the second half ({exit})");
        Verify.Equal(exit.Mmio, new MmioExit { Address = Mmio + 0x1000, Size = 2 }, "The second half");
        m.Processor.CompleteRead(0x4433);
        m.Finish();
        m.VerifyRegisters((Register.Rax, 0x4433_2211));
        m.RunToHalt();
    }

    private static void RepInUnfinished(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rep.insb();
            a.hlt();
        });
        m[Register.Rdi] = GuestLayout.Data + 0xFF0;
        m[Register.Rcx] = 0x30;
        m[Register.Rdx] = 0x55;
        ulong done = 0;
        VpExit exit = m.Run();
        while (done < 0x30)
        {
            Verify.True(exit.Kind == ExitKind.PortIo, $"A port exit after {done} elements ({exit})");
            m.Processor.PendingData.Fill((byte)(done + 1));
            done += (ulong)exit.PortIo.Count;
            m.Processor.CompleteRead(0);
            if (m.Processor.CompletePending(out exit) == CompletionStatus.Done)
            {
                m.VerifyRegisters((Register.Rcx, 0x30 - done), (Register.Rdi, GuestLayout.Data + 0xFF0 + done),
                    (Register.Rip, GuestLayout.Code + (done == 0x30 ? 2UL : 0)));
                if (done < 0x30)
                    exit = m.Run();
            }
        }
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data + 0xFF0, 1), 1UL, "The first byte");
        Verify.NotEqual(m.Peek(GuestLayout.Data + 0x101F, 1), 0UL, "The last byte");
    }

    private static void CancelWhilePending(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@in(al, 0x10);
            a.inc(ebx);
            a.@out(0x11, al);
            a.hlt();
        });
        m.RunToPort(0x10);
        m.Processor.Cancel();
        m.Processor.CompleteRead(0x6B);
        m.RunTo(ExitKind.Cancelled);
        Verify.Equal(m.RunToPort(0x11).Value, 0x6BUL, "What the guest read");
        m.Processor.Cancel();
        m.RunTo(ExitKind.Cancelled);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void WriteIsAnswered(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out(0x10, al);
            a.mov(__qword_ptr[Mmio], rax);
            a.hlt();
        });
        m.RunToPort(0x10);
        Verify.True(m.Processor.IsPending, "A port write is pending");
        m.RunToMmio(true, Mmio, 8);
        Verify.True(m.Processor.IsPending, "A memory-mapped write is pending");
        m.RunToHalt();
    }
}
