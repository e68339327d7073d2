using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Partitions are created, reset and disposed as promised.</summary>
internal static class LifecycleCases
{
    public static ConformanceCase[] All =>
    [
        new("lifecycle.halt_runs", "A guest in real mode adds two numbers and halts", "SDM Vol. 2 ADD, HLT; contract 4: Halt, RIP past it",
            HaltRuns),
        new("lifecycle.capabilities_consistent", "Declared numbers agree with declared capabilities", "contract 1: capabilities",
            CapabilitiesConsistent),
        new("lifecycle.power_on_state", "A new processor is in the power-on state", "SDM Vol. 3A 9.1.1, table 9-1",
            c => PowerOnState(c.CreatePartition().Processors[0])),
        new("lifecycle.options_kept", "A partition shows its options, processors and capabilities", "contract 2: options are frozen",
            OptionsKept),
        new("lifecycle.zero_processors_refused", "A partition without processors is refused", "contract 7: ArgumentException",
            ZeroProcessorsRefused),
        new("lifecycle.processors_limited",
            "More processors than the backend has are refused, naming the capability where it has one alone",
            "contract 1 and 7", ProcessorsLimited),
        new("lifecycle.allocated_memory", "Allocated memory is zeroed, and bad lengths are refused", "contract 3: AllocateMemory",
            AllocatedMemory),
        new("lifecycle.memory_outlives_owner", "Mapped memory stays alive when its owner disposes it", "contract 3: alive while mapped",
            MemoryOutlivesOwner),
        new("lifecycle.two_partitions", "Two partitions share neither memory nor registers",
            "contract 1: a partition is one virtual machine", TwoPartitions),
        new("lifecycle.dispose_twice", "Disposing twice is harmless, use afterwards is refused",
            "contract 2 and 7: ObjectDisposedException", DisposeTwice),
        new("lifecycle.dispose_while_running", "Dispose stops a running processor and returns", "contract 2: Dispose while a vCPU runs",
            DisposeWhileRunning),
        new("lifecycle.dispose_from_handler", "Dispose between an exit and the next run on the same thread does not deadlock",
            "contract 2: from a handler", DisposeFromHandler),
        new("lifecycle.reset_keeps_memory", "Reset gives the power-on state and keeps memory when asked",
            "contract 2: Reset; SDM Vol. 3A table 9-1", ResetKeepsMemory),
        new("lifecycle.reset_clears_memory", "Reset without keeping memory zeroes what the guest may write", "contract 2: Reset",
            ResetClearsMemory),
        new("lifecycle.reset_while_running_refused", "Reset is refused while a processor runs",
            "contract 2 and 7: InvalidOperationException", ResetWhileRunningRefused),
        new("lifecycle.counters", "Exits are counted by kind", "contract 1: base classes count exits", CountersCount),
    ];

    private static void HaltRuns(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.add(ax, bx);
            a.hlt();
        });
        m[Register.Rax] = 1;
        m[Register.Rbx] = 2;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 3), (Register.Rip, GuestLayout.Code + 3));
    }

    private static void CapabilitiesConsistent(ConformanceContext c)
    {
        HypervisorCapabilities have = c.Capabilities;
        Verify.Equal(have.Backend, c.Hypervisor.Name, "Name of the backend");
        Verify.True(have.MaximumProcessors >= 1, "At least one processor");
        Verify.True(have.MaximumProcessors > 1 || !c.Has(Capability.MultipleProcessors),
            "More than one processor where multiple-processors is declared");
        Verify.True(have.PhysicalAddressBits is >= 36 and <= 52, "Address width from 36 to 52 bits");
        Verify.True(have.SlatFormats.Count != 0 || !c.Has(Capability.SlatFormatChoice), "A format where slat-format-choice is declared");
        Verify.Equal(have.InterceptableExceptions != 0, c.Has(Capability.ExceptionExits), "Interceptable exceptions and exception-exits");
        Verify.True(c.Has(Capability.LocalApic) || !c.Has(Capability.X2Apic), "x2apic only with local-apic");
    }

    private static void OptionsKept(ConformanceContext c)
    {
        IPartition partition = c.CreatePartition();
        Verify.Equal(partition.Options.ProcessorCount, 1, "ProcessorCount");
        Verify.Equal(partition.Options.SlatFormat, c.SlatFormat, "SlatFormat");
        Verify.Equal(partition.Processors.Count, 1, "Processors");
        Verify.Equal(partition.Processors[0].Index, 0, "Index");
        Verify.True(ReferenceEquals(partition.Processors[0].Partition, partition), "The processor's partition is the partition");
        Verify.Equal(partition.Memory.AddressBits, c.Capabilities.PhysicalAddressBits, "AddressBits");
        Verify.Equal(partition.Memory.Regions.Count, 0, "Regions of a new partition");
        if (c.SlatFormat is { } format)
            Verify.Equal(partition.Memory.Format, format, "Format of the nested tables");
    }

    private static void ZeroProcessorsRefused(ConformanceContext c)
    {
        Verify.Throws<ArgumentException>(() => c.CreatePartition(o => o with { ProcessorCount = 0 }), "No processors");
        Verify.Throws<ArgumentNullException>(() => c.Hypervisor.CreatePartition(null!), "No options");
    }

    private static void ProcessorsLimited(ConformanceContext c)
    {
        if (c.Has(Capability.MultipleProcessors))
        {
            int most = c.Capabilities.MaximumProcessors;
            Verify.Equal(c.CreatePartition(o => o with { ProcessorCount = 2 }).Processors.Count, 2, "Processors");
            Verify.Throws<ArgumentException>(() => c.CreatePartition(o => o with { ProcessorCount = most + 1 }), $"{most + 1} processors");
            return;
        }
        Verify.Throws<NotSupportedException>(
            () => c.CreatePartition(o => o with { ProcessorCount = 2 }), "Two processors, not declared",
                Capability.MultipleProcessors.Name);
    }

    private static void AllocatedMemory(ConformanceContext c)
    {
        IPartition partition = c.CreatePartition();
        using GuestMemory memory = partition.AllocateMemory(0x3000, GuestMemoryOptions.PreferLargePages);
        Verify.True(memory.Length >= 0x3000, "Length at least as asked");
        Verify.True(!memory.GetSpan(0, 0x3000).ContainsAnyExcept((byte)0), "Zeroed");
        Verify.Throws<ArgumentException>(() => partition.AllocateMemory(0), "Length 0");
        Verify.Throws<ArgumentException>(() => partition.AllocateMemory(0x1800), "Length not page-aligned");
        Verify.Throws<ArgumentException>(() => memory.Read(0x2FFF, new byte[2]), "Reading past the end");
    }

    private static void MemoryOutlivesOwner(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data]);
            a.mov(__dword_ptr[GuestLayout.Data + 4], eax);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x1234_5678, 4);
        m.Ram.Dispose();
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data + 4, 4), 0x1234_5678, "What the guest copied");
    }

    private static void TwoPartitions(ConformanceContext c)
    {
        GuestMachine[] machines = new GuestMachine[2];
        for (int i = 0; i < 2; i++)
        {
            machines[i] = c.Enter(GuestMode.Protected32, a =>
            {
                a.add(eax, 5);
                a.@out((byte)GuestLayout.MarkPort, al);
                a.mov(__dword_ptr[GuestLayout.Data], eax);
                a.hlt();
            });
            machines[i][Register.Rax] = (ulong)(100 * i);
        }
        machines[0].RunToMark();
        machines[1].RunToMark();
        machines[0].RunToHalt();
        Verify.Equal(machines[1].Peek(GuestLayout.Data, 4), 0UL, "Memory of the second partition before its store");
        machines[1].RunToHalt();
        Verify.Equal(machines[0].Peek(GuestLayout.Data, 4), 5UL, "Memory of the first partition");
        Verify.Equal(machines[1].Peek(GuestLayout.Data, 4), 105UL, "Memory of the second partition");
    }

    private static void DisposeTwice(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.hlt());
        m.RunToHalt();
        m.Partition.Dispose();
        m.Partition.Dispose();
        Verify.Throws<ObjectDisposedException>(() => m.Processor.Run(), "Run after Dispose");
        Verify.Throws<ObjectDisposedException>(() => m.Memory.Unmap(0, 0x1000), "Unmap after Dispose");
        Verify.Throws<ObjectDisposedException>(() => _ = m.Processor[Register.Rax], "Register after Dispose");
        m.Processor.Cancel();
    }

    private static void DisposeWhileRunning(ConformanceContext c)
    {
        GuestMachine m = Spinning(c);
        GuestThread runner = c.Start("runner", () => m.Processor.Run());
        WaitUntilRunning(m);
        GuestThread disposer = c.Start("disposer", m.Partition.Dispose);
        disposer.Join("Dispose");
        runner.WaitForEnd("Run");
        Verify.True(runner.Error is ObjectDisposedException,
            $"Run throws ObjectDisposedException when its partition is disposed (it threw {runner.Error?.GetType().Name ?? "nothing"})");
    }

    private static void DisposeFromHandler(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.@in(al, 0x10);
            a.hlt();
        });
        m.RunToPort(0x10);
        m.Partition.Dispose();
        Verify.Throws<ObjectDisposedException>(() => m.Processor.Run(), "Run after Dispose with a pending instruction");
    }

    private static void ResetKeepsMemory(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, 0x1122_3344_5566_7788UL);
            a.mov(__qword_ptr[GuestLayout.Data], rax);
            a.mov(dr0, rax);
            a.@in(al, 0x10);
        });
        m.RunToPort(0x10);
        m.Partition.Reset(true);
        Verify.True(!m.Processor.IsPending, "Reset drops the pending instruction");
        PowerOnState(m.Processor);
        Verify.Equal(m.Peek(GuestLayout.Data), 0x1122_3344_5566_7788UL, "Memory after Reset(keepMemory: true)");
    }

    private static void ResetClearsMemory(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        m.Poke(GuestLayout.Data, 1);
        m.Poke(GuestLayout.HighMemory, 2);
        m.Memory.Protect(GuestLayout.HighMemory, 0x1000, GuestAccess.ReadExecute);
        m.Partition.Reset(false);
        Verify.Equal(m.Peek(GuestLayout.Data), 0UL, "Writable memory after Reset(keepMemory: false)");
        Verify.Equal(m.Peek(GuestLayout.HighMemory), 2UL, "Read-only memory after Reset(keepMemory: false)");
    }

    private static void ResetWhileRunningRefused(ConformanceContext c)
    {
        GuestMachine m = Spinning(c);
        GuestThread runner = c.Start("runner", () => m.Processor.Run());
        WaitUntilRunning(m);
        Verify.Throws<InvalidOperationException>(() => m.Partition.Reset(true), "Reset while running");
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
    }

    private static void CountersCount(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.@out(0x10, al);
            a.@out(0x11, al);
            a.hlt();
        });
        m.RunToPort(0x10);
        m.RunToPort(0x11);
        m.RunToHalt();
        ProcessorCounters counters = m.Processor.Counters;
        Verify.Equal(counters.Exits[(int)ExitKind.PortIo], 2UL, "Port exits");
        Verify.Equal(counters.Exits[(int)ExitKind.Halt], 1UL, "Halt exits");
        Verify.Equal(counters.TotalExits, 3UL, "All exits");
    }

    /// <summary>A 32-bit guest that counts in EAX and in memory at <see cref="GuestLayout.Data"/> for ever, without an instruction
    /// budget.</summary>
    internal static GuestMachine Spinning(ConformanceContext c) => c.Enter(
        GuestMode.Protected32,
        a =>
        {
            Label loop = a.CreateLabel();
            a.Label(ref loop);
            a.inc(eax);
            a.mov(__dword_ptr[GuestLayout.Data], eax);
            a.jmp(loop);
        },
        configure: o => o with { InstructionBudget = 0 });

    /// <summary>Waits until a <see cref="Spinning"/> guest counts.</summary>
    internal static void WaitUntilRunning(GuestMachine m)
    {
        ulong first = m.Peek(GuestLayout.Data, 4);
        Verify.True(SpinWait.SpinUntil(() => m.Peek(GuestLayout.Data, 4) != first, 5000), "The guest runs");
    }

    private static void PowerOnState(IVirtualProcessor processor)
    {
        processor.GetState(RegisterGroups.Registers, out ProcessorState s);
        Verify.Equal(s.General.Rip, 0xFFF0UL, "RIP");
        Verify.Equal(s.General.Rflags, 2UL, "RFLAGS");
        Verify.Equal(s.General.Rax | s.General.Rbx | s.General.Rcx | s.General.Rsp | s.General.Rbp | s.General.Rsi | s.General.Rdi, 0UL,
            "General registers but RDX");
        Verify.Equal(s.General.R8 | s.General.R9 | s.General.R10 | s.General.R11 | s.General.R12 | s.General.R13 | s.General.R14
            | s.General.R15, 0UL, "R8 to R15");
        Verify.Equal(s.Segments.Cs.Selector, (ushort)0xF000, "CS selector");
        Verify.Equal(s.Segments.Cs.Base, 0xFFFF_0000UL, "CS base");
        Verify.Equal(s.Segments.Cs.Limit, 0xFFFFU, "CS limit");
        foreach (SegmentDescriptor data in (SegmentDescriptor[])[s.Segments.Ss, s.Segments.Ds, s.Segments.Es, s.Segments.Fs, s.Segments.Gs])
        {
            Verify.Equal(data.Selector, (ushort)0, "Selector of a data segment");
            Verify.Equal(data.Base, 0UL, "Base of a data segment");
            Verify.Equal(data.Limit, 0xFFFFU, "Limit of a data segment");
        }
        Verify.Equal(s.Segments.Gdtr, new TableDescriptor(0, 0xFFFF), "GDTR");
        Verify.Equal(s.Segments.Idtr, new TableDescriptor(0, 0xFFFF), "IDTR");
        Verify.Equal(s.Control.Cr0, 0x6000_0010UL, "CR0");
        Verify.Equal(s.Control.Cr2 | s.Control.Cr3 | s.Control.Cr4 | s.Control.Cr8 | s.Control.Efer, 0UL, "CR2, CR3, CR4, CR8 and EFER");
        Verify.Equal(s.Debug.Dr0 | s.Debug.Dr1 | s.Debug.Dr2 | s.Debug.Dr3, 0UL, "DR0 to DR3");
        Verify.Equal(s.Debug.Dr6, 0xFFFF_0FF0UL, "DR6");
        Verify.Equal(s.Debug.Dr7, 0x400UL, "DR7");
    }
}
