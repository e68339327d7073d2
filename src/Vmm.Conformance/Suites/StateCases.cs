using System.Buffers.Binary;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>State that is read from one partition and given to another.</summary>
internal static class StateCases
{
    private const int ApicPageSize = 1024;

    public static ConformanceCase[] All =>
    [
        new("state.guest_goes_on_elsewhere", "Registers, vector state and memory, given to another partition, carry a guest on there",
            "contract 6: save on one, restore on another", GoesOnElsewhere),
        new("state.other_format", "A guest goes on over nested tables of every other format", "contract 6; contract 3: the same in both formats", OtherFormat)
        {
            Requires = [Capability.SlatFormatChoice],
        },
        new("state.events_round_trip", "Activity, shadow, blocking and waiting events come back as they were set", "contract 6: state elements", EventsRoundTrip)
        {
            Requires = [Capability.EventState],
        },
        new("state.waiting_interrupt_travels", "An injected interrupt that waits for IF is delivered where its state was given to",
            "contract 6: pending and injected events", WaitingInterruptTravels)
        {
            Requires = [Capability.EventState],
        },
        new("state.begun_delivery_goes_on", "An exception whose delivery has begun reaches its handler with error code and CR2",
            "contract 6: injected events with payload; SDM Vol. 3A 6.15", BegunDeliveryGoesOn)
        {
            Requires = [Capability.EventState],
        },
        new("state.local_apic_round_trip", "The registers of the local APIC come back as they were set", "contract 6: APIC page; SDM Vol. 3A table 11-1", ApicRoundTrip)
        {
            Requires = [Capability.LocalApic, Capability.EventState],
        },
        new("state.timer_remainder", "What is left of the APIC timer's count stands still with the time and travels", "contract 6: timer remainder", TimerRemainder)
        {
            Requires = [Capability.LocalApic, Capability.EventState, Capability.TimeControl],
        },
        new("state.counter_is_set", "A client's write of the time-stamp counter is what the counter goes on from", "contract 6: time; IVirtualProcessor.WriteMsr", CounterIsSet)
        {
            Requires = [Capability.TimeControl],
        },
        new("state.local_apic_absent", "Without a local APIC its registers are refused", "contract 7: InvalidOperationException or NotSupportedException", ApicAbsent),
    ];

    private static GuestMachine HalfWay(ConformanceContext c) => c.Enter(GuestMode.Long, a =>
    {
        a.mov(rax, 0x1122_3344_5566_7788UL);
        a.movq(xmm5, rax);
        a.mov(__qword_ptr[(int)GuestLayout.Data], rax);
        a.std();
        a.@out((byte)GuestLayout.MarkPort, al);
        a.movq(rbx, xmm5);
        a.add(rbx, __qword_ptr[(int)GuestLayout.Data]);
        a.pushfq();
        a.pop(rcx);
        a.@out((byte)GuestLayout.MarkPort, al);
    });

    private static void MoveTo(GuestMachine source, GuestMachine target)
    {
        const RegisterGroups Groups = RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control | RegisterGroups.Debug;
        target.Memory.Write(0, source.PeekBytes(0, (int)GuestLayout.Mmio));
        target.Memory.Write(GuestLayout.HighMemory, source.PeekBytes(GuestLayout.HighMemory, (int)(GuestLayout.End - GuestLayout.HighMemory)));
        source.Processor.GetState(Groups, out ProcessorState state);
        target.Processor.SetState(Groups, in state);
        byte[] area = new byte[source.Processor.XsaveSize];
        source.Processor.GetXsave(area);
        target.Processor.SetXsave(area);
    }

    private static void GoOn(GuestMachine source, GuestMachine target)
    {
        source.RunToMark();
        MoveTo(source, target);
        target.RunToMark();
        target.VerifyRegisters((Register.Rax, 0x1122_3344_5566_7788), (Register.Rbx, 0x2244_6688_AACC_EF10));
        Verify.Bits(target[Register.Rcx], 0x400, 0x400, "The direction flag that was set before");
    }

    private static void GoesOnElsewhere(ConformanceContext c) => GoOn(HalfWay(c), c.CreateMachine());

    private static void OtherFormat(ConformanceContext c)
    {
        foreach (SlatFormat format in c.Capabilities.SlatFormats)
        {
            if (format != c.SlatFormat)
                GoOn(HalfWay(c), c.CreateMachine(o => o with { SlatFormat = format }));
        }
    }

    private static void EventsRoundTrip(ConformanceContext c)
    {
        bool hasApic = c.Has(Capability.LocalApic), hasStartup = hasApic && c.Has(Capability.StartupState);
        GuestMachine m = c.CreateMachine(o => o with { LocalApic = hasApic ? LocalApicMode.XApic : LocalApicMode.None });
        EventState wanted = new()
        {
            Activity = ProcessorActivity.Halted,
            Shadow = InterruptibilityShadow.Sti,
            NmiBlocked = true,
            NmiPending = true,
            PendingDebugTrap = 0x4000,
            InitPending = hasStartup,
            StartupPending = hasStartup,
            StartupVector = hasStartup ? (byte)0x9A : (byte)0,
            HasDelivering = true,
            Delivering = InjectedEvent.Exception(14, 2, 0xFEED_F000),
            HasPending = true,
            Pending = InjectedEvent.Interrupt(0x42),
        };
        ProcessorState state = new() { Events = wanted };
        m.Processor.SetState(RegisterGroups.Events, in state);
        m.Processor.GetState(RegisterGroups.Events, out ProcessorState found);
        Verify.Equal(found.Events, wanted, "Events");
        state.Events = default;
        m.Processor.SetState(RegisterGroups.Events, in state);
        m.Processor.GetState(RegisterGroups.Events, out found);
        Verify.Equal(found.Events, default, "Events after they were taken back");
    }

    private static void WaitingInterruptTravels(ConformanceContext c)
    {
        GuestMachine source = c.Enter(GuestMode.Long, a =>
        {
            a.cli();
            a.@out((byte)GuestLayout.MarkPort, al);
            a.sti();
            a.nop();
            a.hlt();
        });
        source.RunToMark();
        Verify.Equal(source.Processor.Inject(InjectedEvent.Interrupt(0x42)), InjectionResult.Deferred, "Injection with interrupts off");
        GuestMachine target = c.Enter(GuestMode.Long, a => a.hlt());
        MoveTo(source, target);
        source.Processor.GetState(RegisterGroups.Events, out ProcessorState state);
        target.Processor.SetState(RegisterGroups.Events, in state);
        target.RunToException(0x42);
    }

    private static void BegunDeliveryGoesOn(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        ProcessorState state = new()
        {
            Events = new EventState { HasDelivering = true, Delivering = InjectedEvent.Exception(14, 2, 0xFEED_F000) },
        };
        m.Processor.SetState(RegisterGroups.Events, in state);
        ExceptionFrame frame = m.RunToException(14);
        Verify.Equal(frame.ErrorCode, 2, "Error code");
        Verify.Equal(m[Register.Cr2], 0xFEED_F000, "CR2");
        m.Processor.GetState(RegisterGroups.Events, out state);
        Verify.True(!state.Events.HasDelivering, "Nothing is being delivered any more");
    }

    private static void ApicRoundTrip(ConformanceContext c)
    {
        GuestMachine source = c.CreateMachine(o => o with { LocalApic = LocalApicMode.XApic });
        GuestMachine target = c.CreateMachine(o => o with { LocalApic = LocalApicMode.XApic });
        byte[] page = new byte[ApicPageSize];
        source.Processor.GetLocalApic(page);
        (int Offset, uint Value)[] registers =
        [
            (0x80, 0x30), (0xE0, 0x0FFF_FFFF), (0xF0, 0x1FE), (0x110, 0x8000_0000), (0x1A0, 0x4000_0000), (0x220, 0x4000_0000),
            (0x310, 0x0500_0000), (0x320, 0x1_0033), (0x350, 0x1_0700), (0x360, 0x400), (0x370, 0x44), (0x3E0, 0xB),
        ];
        foreach ((int offset, uint value) in registers)
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);
        source.Processor.SetLocalApic(page);
        source.Processor.GetLocalApic(page);
        target.Processor.SetLocalApic(page);
        target.Processor.GetLocalApic(page);
        foreach ((int offset, uint value) in registers)
            Verify.Equal(BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(offset)), value, $"Local APIC register 0x{offset:X}");
    }

    private static void TimerRemainder(ConformanceContext c)
    {
        GuestMachine source = c.CreateMachine(o => o with { LocalApic = LocalApicMode.XApic });
        GuestMachine target = c.CreateMachine(o => o with { LocalApic = LocalApicMode.XApic });
        source.Partition.SuspendTime();
        target.Partition.SuspendTime();
        byte[] page = new byte[ApicPageSize];
        source.Processor.GetLocalApic(page);
        foreach ((int offset, uint value) in ((int, uint)[])[(0xF0, 0x1FF), (0x320, 0x2_0050), (0x3E0, 0xB), (0x380, 4_000_000_000), (0x390, 3_000_000_000)])
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);
        source.Processor.SetLocalApic(page);
        Thread.Sleep(5);
        source.Processor.GetLocalApic(page);
        target.Processor.SetLocalApic(page);
        target.Processor.GetLocalApic(page);
        Verify.Equal(BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(0x380)), 4_000_000_000, "Initial count");
        Verify.Equal(BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(0x390)), 3_000_000_000, "Current count");
        target.Partition.ResumeTime();
        Thread.Sleep(5);
        target.Processor.GetLocalApic(page);
        Verify.True(BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(0x390)) < 3_000_000_000, "The count goes on with the time");
    }

    private static void CounterIsSet(ConformanceContext c)
    {
        const ulong Value = 77_000_000_000_000;
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rdtsc();
            a.shl(rdx, 32);
            a.or(rax, rdx);
            a.@out((byte)GuestLayout.MarkPort, al);
        });
        m.Partition.SuspendTime();
        m.Processor.WriteMsr(0x10, Value);
        Verify.Equal(m.Processor.ReadMsr(0x10), Value, "The counter while the time stands still");
        m.Partition.ResumeTime();
        m.RunToMark();
        Verify.True(m[Register.Rax] is >= Value and < Value + 1_000_000_000_000, "The guest's counter goes on from there");
    }

    private static void ApicAbsent(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine(o => o with { LocalApic = LocalApicMode.None });
        try
        {
            m.Processor.GetLocalApic(new byte[ApicPageSize]);
        }
        catch (Exception e) when (e is InvalidOperationException or NotSupportedException)
        {
            return;
        }
        Verify.Fail("GetLocalApic gave something where there is no local APIC.");
    }
}
