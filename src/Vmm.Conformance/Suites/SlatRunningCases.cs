using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The second level changed under a running guest, and dirty tracking.</summary>
internal static class SlatRunningCases
{
    private const ulong Page = GuestLayout.HighMemory;

    public static ConformanceCase[] All =>
    [
        new("slat.unmap_while_running", "A page unmapped while the guest reads it exits at once",
            "contract 3: visible before the call returns", UnmapWhileRunning),
        new("slat.protect_while_running", "A page protected while the guest writes it refuses the next write",
            "contract 3: visible before the call returns", ProtectWhileRunning),
        new("slat.replace_while_running", "After a replacing Map returns, no store reaches the old memory",
            "contract 3: visible before the call returns", ReplaceWhileRunning),
        new("slat.unmap_code_while_running", "Code unmapped while it runs stops with a violation",
            "contract 3: visible before the call returns", UnmapCodeWhileRunning),
        new("slat.others_undisturbed", "Changes of one page never make another page's accesses exit",
            "contract 3: pages not named never miss an access", OthersUndisturbed),
        new("slat.change_from_handler", "A change between an exit and the next run is seen by the next instruction",
            "contract 3: when called from a handler", ChangeFromHandler),
        new("slat.dirty_pages", "Exactly the pages written are dirty, and reading clears or keeps them as asked",
            "contract 3: Dirty tracking", DirtyPages)
        {
            Requires = [Capability.DirtyTracking],
        },
        new("slat.dirty_again", "A page written again after its bit was cleared is dirty again", "contract 3: GetAndClear", DirtyAgain)
        {
            Requires = [Capability.DirtyTracking],
        },
        new("slat.dirty_host_writes", "Writes of the host set dirty bits too", "contract 3: Writes through it set dirty bits",
            DirtyHostWrites)
        {
            Requires = [Capability.DirtyTracking],
        },
        new("slat.dirty_kept_over_changes", "Changes of other pages keep dirty bits", "contract 3: keep their dirty bits",
            DirtyKeptOverChanges)
        {
            Requires = [Capability.DirtyTracking],
        },
        new("slat.dirty_while_running", "No write is lost while a running guest's bits are collected", "contract 3: Dirty tracking",
            DirtyWhileRunning)
        {
            Requires = [Capability.DirtyTracking],
        },
    ];

    /// <summary>A guest that works on <see cref="Page"/> for ever, counting rounds at <see cref="GuestLayout.Data"/>.</summary>
    private static GuestMachine Looping(ConformanceContext c, Action<Assembler> body) => c.Enter(
        GuestMode.Protected32,
        a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            body(a);
            a.inc(__dword_ptr[GuestLayout.Data]);
            a.jmp(again);
        },
        configure: o => o with { InstructionBudget = 0 });

    private static (GuestThread Thread, Func<VpExit> Exit) Start(ConformanceContext c, GuestMachine m)
    {
        VpExit exit = default;
        GuestThread thread = c.Start("runner", () => exit = m.Processor.Run());
        LifecycleCases.WaitUntilRunning(m);
        return (thread, () => exit);
    }

    private static void UnmapWhileRunning(ConformanceContext c)
    {
        GuestMachine m = Looping(c, a => a.mov(eax, __dword_ptr[Page]));
        (GuestThread thread, Func<VpExit> exit) = Start(c, m);
        m.Memory.Unmap(Page, 0x1000);
        ulong rounds = m.Peek(GuestLayout.Data, 4);
        thread.Join("The guest after its page was unmapped");
        Verify.True(m.Peek(GuestLayout.Data, 4) - rounds <= 1, "No round begins once Unmap has returned");
        Verify.Equal(exit().Kind, ExitKind.Mmio, "Exit");
        Verify.Equal(exit().Mmio.Address, Page, "Address");
    }

    private static void ProtectWhileRunning(ConformanceContext c)
    {
        GuestMachine m = Looping(c, a => a.inc(__dword_ptr[Page]));
        (GuestThread thread, Func<VpExit> exit) = Start(c, m);
        m.Memory.Protect(Page, 0x1000, GuestAccess.ReadExecute);
        ulong after = m.Peek(Page, 4);
        thread.Join("The guest after its page was protected");
        Verify.Equal(exit().Kind, ExitKind.SlatViolation, "Exit");
        Verify.Equal(exit().SlatViolation.Access, GuestAccess.Write, "Access");
        Verify.Equal(exit().SlatViolation.Address, Page, "Address");
        Verify.Equal(m.Peek(Page, 4), after, "Memory since Protect returned");
        Verify.Equal(exit().SlatViolation.Value, after + 1, "The value refused");
    }

    private static void ReplaceWhileRunning(ConformanceContext c)
    {
        GuestMachine m = Looping(c, a => a.inc(__dword_ptr[Page]));
        using GuestMemory other = m.Partition.AllocateMemory(0x1000);
        (GuestThread thread, Func<VpExit> exit) = Start(c, m);
        for (int i = 0; i < 20; i++)
        {
            (GuestMemory next, ulong nextOffset, GuestMemory old, ulong oldOffset) = (i & 1) == 0 ? (other, 0UL, m.Ram, Page) : (m.Ram,
                Page, other, 0UL);
            m.Memory.Map(Page, next, nextOffset, 0x1000, GuestAccess.All, replace: true);
            uint last = Value(old, oldOffset);
            LifecycleCases.WaitUntilRunning(m);
            Verify.Equal(Value(old, oldOffset), last, "The old memory since Map returned");
            Verify.True(SpinWait.SpinUntil(() => Value(next, nextOffset) != 0, 2000), "The new memory is written");
        }
        m.Processor.Cancel();
        thread.Join("Run after the cancel");
        Verify.Equal(exit().Kind, ExitKind.Cancelled, "The one exit");

        static uint Value(GuestMemory memory, ulong offset)
        {
            byte[] bytes = new byte[4];
            memory.Read(offset, bytes);
            return BitConverter.ToUInt32(bytes);
        }
    }

    private static void UnmapCodeWhileRunning(ConformanceContext c)
    {
        GuestMachine m = Looping(c, a => a.call(Page));
        m.Assemble(32, Page, a => a.ret());
        (GuestThread thread, Func<VpExit> exit) = Start(c, m);
        m.Memory.Unmap(Page, 0x1000);
        thread.Join("The guest after its code was unmapped");
        Verify.Equal(exit().Kind, ExitKind.SlatViolation, "Exit");
        Verify.Equal(exit().SlatViolation.Access, GuestAccess.Execute, "Access");
        Verify.Equal(exit().SlatViolation.Address, Page, "Address");
    }

    private static void OthersUndisturbed(ConformanceContext c)
    {
        GuestMachine m = Looping(c, a =>
        {
            a.inc(__dword_ptr[Page]);
            a.mov(eax, __dword_ptr[Page + 0x2000]);
            a.mov(__dword_ptr[Page + 0x3FFE], eax);
        });
        (GuestThread thread, Func<VpExit> exit) = Start(c, m);
        for (int i = 0; i < 100 && !thread.Ended; i++)
        {
            m.Memory.Unmap(Page + 0x1000, 0x1000);
            m.Memory.Map(Page + 0x1000, m.Ram, Page + 0x1000, 0x1000, GuestAccess.Read);
            m.Memory.Protect(Page + 0x1000, 0x1000, GuestAccess.All);
        }
        Verify.True(!thread.Ended, $"The guest still runs ({exit()})");
        LifecycleCases.WaitUntilRunning(m);
        m.Processor.Cancel();
        thread.Join("Run after the cancel");
        Verify.Equal(exit().Kind, ExitKind.Cancelled, "The one exit");
    }

    private static void ChangeFromHandler(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.@out(0x10, al);
            a.mov(eax, __dword_ptr[Page]);
            a.mov(ebx, eax);
            a.@out(0x11, al);
            a.mov(eax, __dword_ptr[Page]);
            a.hlt();
        });
        m.Poke(Page, 1, 4);
        m.Poke(Page + 0x1000, 2, 4);
        m.RunToPort(0x10);
        m.Memory.Map(Page, m.Ram, Page + 0x1000, 0x1000, GuestAccess.All, replace: true);
        m.RunToPort(0x11);
        m.Memory.Unmap(Page, 0x1000);
        m.RunToMmio(false, Page, 4);
        m.Processor.CompleteRead(3);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 2), (Register.Rax, 3));
    }

    private static void DirtyPages(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(__byte_ptr[Page + 0x1FFF], al);
            a.mov(__dword_ptr[Page + 0x3FFE], eax);
            a.mov(ebx, __dword_ptr[Page + 0x6000]);
            a.inc(__byte_ptr[Page + 0x4_1000]);
            a.hlt();
        });
        m.Memory.TrackDirty(Page, 0x8_0000, true);
        Verify.Equal(m.Memory.PeekDirty(Page, 0x8_0000, new ulong[2]), 0UL, "Dirty pages before the run");
        m.RunToHalt();
        ulong[] bitmap = [ulong.MaxValue, ulong.MaxValue];
        Verify.Equal(m.Memory.PeekDirty(Page, 0x8_0000, bitmap), 4UL, "Dirty pages");
        Verify.Equal(bitmap[0], 0b1_1010UL, "Bits of the first 64 pages");
        Verify.Equal(bitmap[1], 0b10UL, "Bits of the next 64 pages");
        ulong[] part = new ulong[1];
        Verify.Equal(m.Memory.GetAndClearDirty(Page + 0x3000, 0x1000, part), 1UL, "Dirty pages of one page");
        Verify.Equal(part[0], 1UL, "Its bit");
        Verify.Equal(m.Memory.GetAndClearDirty(Page, 0x8_0000, bitmap), 3UL, "Dirty pages that are left");
        Verify.Equal(bitmap[0], 0b1_0010UL, "Bits that are left");
        Verify.Equal(m.Memory.PeekDirty(Page, 0x8_0000, bitmap), 0UL, "Dirty pages after clearing");
        Verify.Throws<ArgumentException>(() => m.Memory.PeekDirty(Page, 0x8_0000, new ulong[1]), "A bitmap that is too small");
        m.Memory.TrackDirty(Page, 0x8_0000, false);
    }

    private static void DirtyAgain(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.inc(__dword_ptr[Page]);
            a.@out((byte)GuestLayout.MarkPort, al);
            a.jmp(again);
        });
        m.Memory.TrackDirty(Page, 0x2000, true);
        ulong[] bitmap = new ulong[1];
        for (int i = 0; i < 5; i++)
        {
            m.RunToMark();
            Verify.Equal(m.Memory.GetAndClearDirty(Page, 0x2000, bitmap), 1UL, $"Dirty pages in round {i}");
            Verify.Equal(bitmap[0], 1UL, "Bits");
        }
    }

    private static void DirtyHostWrites(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        m.Memory.TrackDirty(Page, 0x8000, true);
        m.Memory.Write(Page + 0x0FFF, [1, 2]);
        m.Memory.CompareExchange(Page + 0x3000, 4, 0, 1);
        m.Memory.CompareExchange(Page + 0x4000, 4, 1, 2);
        Verify.True(m.Memory.TryGetSpan(Page + 0x5000, 0x1000, true, out Span<byte> span), "A span");
        span[5] = 1;
        m.Memory.NotifyWritten(Page + 0x5000, 0x1000);
        m.Memory.Read(Page + 0x7000, new byte[8]);
        ulong[] bitmap = new ulong[1];
        m.Memory.GetAndClearDirty(Page, 0x8000, bitmap);
        Verify.Equal(bitmap[0], 0b10_1011UL, "Bits: the exchange that was not made does not count");
    }

    private static void DirtyKeptOverChanges(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.inc(__dword_ptr[Page]);
            a.inc(__dword_ptr[Page + 0x2000]);
            a.hlt();
        });
        m.Memory.TrackDirty(Page, 0x4000, true);
        m.RunToHalt();
        m.Memory.Protect(Page + 0x1000, 0x1000, GuestAccess.Read);
        m.Memory.Unmap(Page + 0x3000, 0x1000);
        m.Memory.Map(Page + 0x3000, m.Ram, Page + 0x3000, 0x1000, GuestAccess.All);
        m.Memory.Protect(Page, 0x1000, GuestAccess.ReadExecute);
        ulong[] bitmap = new ulong[1];
        m.Memory.PeekDirty(Page, 0x4000, bitmap);
        Verify.Equal(bitmap[0] & 5, 5UL, "Bits of the two pages that were written");
    }

    private static void DirtyWhileRunning(ConformanceContext c)
    {
        GuestMachine m = Looping(c, a =>
        {
            a.inc(eax);
            a.mov(ebx, eax);
            a.and(ebx, 0x3F000);
            a.mov(__dword_ptr[ebx + (int)Page], eax);
        });
        m.Memory.TrackDirty(Page, 0x4_0000, true);
        (GuestThread thread, Func<VpExit> exit) = Start(c, m);
        uint[] last = new uint[64];
        ulong[] bitmap = new ulong[1];
        for (int round = 0; round < 30; round++)
        {
            m.Partition.Pause();
            m.Memory.GetAndClearDirty(Page, 0x4_0000, bitmap);
            for (int i = 0; i < 64; i++)
            {
                uint now = (uint)m.Peek(Page + ((ulong)i << 12), 4);
                Verify.True(now == last[i] || (bitmap[0] >> i & 1) != 0, $"Page {i} changed, so its bit is set");
                last[i] = now;
            }
            m.Partition.Resume();
            Thread.Sleep(1);
        }
        m.Processor.Cancel();
        thread.Join("Run after the cancel");
        Verify.Equal(exit().Kind, ExitKind.Cancelled, "The one exit");
    }
}
