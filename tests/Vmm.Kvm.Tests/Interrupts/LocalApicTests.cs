using System.Buffers.Binary;

namespace Vmm.Kvm.Tests.Interrupts;

public sealed class LocalApicTests
{
    private const byte Vector = 0x71;
    private const ulong Handler = 0x1100;
    private const int IdOffset = 0x20;

    // sti; out 0x10, al; jmp to the latter
    private static readonly byte[] s_code = [0xFB, 0xE6, 0x10, 0xEB, 0xFC];

    // mov dword [EOI], 0; iret
    private static readonly byte[] s_handler = [0x66, 0x67, 0xC7, 0x05, 0xB0, 0x00, 0xE0, 0xFE, 0, 0, 0, 0, 0xCF];

    // mov ecx, EOI; xor eax, eax; xor edx, edx; wrmsr; iret
    private static readonly byte[] s_wideHandler = [0x66, 0xB9, 0x0B, 0x08, 0, 0, 0x66, 0x31, 0xC0, 0x66, 0x31, 0xD2, 0x0F, 0x30, 0xCF];

    [SkippableTheory]
    [InlineData(LocalApicMode.XApic)]
    [InlineData(LocalApicMode.X2Apic)]
    public void Ends_of_level_triggered_interrupts_are_told_whichever_processor_took_them(LocalApicMode mode)
    {
        using RealModeGuest guest = Start(mode);
        for (int round = 0; round < 2; round++)
        {
            for (uint destination = 0; destination < 2; destination++)
            {
                IVirtualProcessor processor = guest.Partition.Processors[(int)destination];
                processor.Run().Kind.Should().Be(ExitKind.PortIo);
                // As a guest's own change does, this makes the kernel look anew at whose ends it tells.
                byte[] page = new byte[1024];
                processor.CompletePending(out _).Should().Be(CompletionStatus.Done);
                processor.GetLocalApic(page);
                processor.SetLocalApic(page);
                processor.Run().Kind.Should().Be(ExitKind.PortIo);
                guest.Partition.RequestInterrupt(new InterruptRequest { Vector = Vector, Destination = destination, LevelTriggered = true });
                RunToEnd(processor).Should().Be(Vector, "processor {0} has ended it in round {1}", destination, round);
            }
        }
    }

    [SkippableFact]
    public void Ends_are_told_of_more_vectors_than_the_kernel_has_pins_for()
    {
        using RealModeGuest guest = Start(LocalApicMode.XApic);
        byte[] entry = [0, (byte)(Handler >> 8), 0, 0];
        for (int vector = 0x20; vector < 0xF0; vector++)
            guest.Partition.Memory.Write((ulong)vector * 4, entry);
        for (int round = 0; round < 2; round++)
        {
            for (int vector = 0x20; vector < 0xF0; vector++)
            {
                guest.Partition.RequestInterrupt(new InterruptRequest { Vector = (byte)vector, LevelTriggered = true });
                RunToEnd(guest.Processor).Should().Be((byte)vector);
            }
        }
    }

    [SkippableTheory]
    [InlineData(LocalApicMode.XApic)]
    [InlineData(LocalApicMode.X2Apic)]
    public void Each_local_apic_keeps_its_identity_through_save_and_restore(LocalApicMode mode)
    {
        using RealModeGuest guest = Start(mode);
        PartitionSnapshot saved = PartitionSnapshot.Capture(guest.Partition);
        using RealModeGuest other = Start(mode);
        saved.Apply(other.Partition);
        byte[] page = new byte[1024];
        for (uint i = 0; i < 2; i++)
        {
            other.Partition.Processors[(int)i].GetLocalApic(page);
            BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(IdOffset)).Should().Be(mode == LocalApicMode.X2Apic ? i : i << 24);
        }
    }

    [SkippableFact]
    public void End_of_a_level_triggered_interrupt_that_began_elsewhere_is_told()
    {
        using RealModeGuest guest = Start(LocalApicMode.XApic);
        IVirtualProcessor processor = guest.Processor;
        byte[] page = new byte[1024];
        processor.GetLocalApic(page);
        // In service, and level-triggered (SDM Vol. 3A 11.8.4).
        const int Register = (Vector >> 5) * 16;
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x100 + Register), 1U << (Vector & 31));
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x180 + Register), 1U << (Vector & 31));
        processor.SetLocalApic(page);
        processor[Vmm.Register.Rip] = Handler;
        RunToEnd(processor).Should().Be(Vector);
    }

    [SkippableFact]
    public void Task_priority_given_with_the_page_survives_a_change_of_other_registers()
    {
        using RealModeGuest guest = Start(LocalApicMode.XApic);
        IVirtualProcessor processor = guest.Processor;
        processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        byte[] page = new byte[1024];
        processor.GetLocalApic(page);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x80), 0x50);
        processor.SetLocalApic(page);
        processor.SetState(RegisterGroups.Segments, in state);
        processor[Register.Cr8].Should().Be(5);
        processor.GetLocalApic(page);
        BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(0x80)).Should().Be(0x50);
    }

    [SkippableFact]
    public void Step_over_an_access_to_the_local_apic_ends_behind_it_though_steps_came_before()
    {
        using RealModeGuest guest = Start(LocalApicMode.XApic);
        IVirtualProcessor processor = guest.Processor;
        Skip.IfNot(guest.Partition.Capabilities.Has(Capability.SingleStep), "There is no single step.");
        // nop; nop; mov dword [EOI], 0; nop; nop; jmp $
        byte[] code = [0x90, 0x90, .. s_handler.AsSpan(0, 12), 0x90, 0x90, 0xEB, 0xFE];
        guest.Partition.Memory.Write(0x1200, code);
        processor[Register.Rip] = 0x1200;
        processor.Debugging = new DebugControl { SingleStep = true };
        List<ulong> steps = [];
        for (int i = 0; i < 4; i++)
        {
            using Timer end = new(static stuck => ((IVirtualProcessor)stuck!).Cancel(), processor, 5000, Timeout.Infinite);
            processor.Run().Kind.Should().Be(ExitKind.Debug);
            steps.Add(processor[Register.Rip]);
        }
        steps.Should().Equal(0x1201, 0x1202, 0x120E, 0x120F);
    }

    // Some kernels run a guest on a little before they tell, and take or tell nothing while it runs without a reason to leave it.
    private static byte? RunToEnd(IVirtualProcessor processor)
    {
        using Timer reason = new(static running => ((IVirtualProcessor)running!).Cancel(), processor, 250, 250);
        for (int i = 0; i < 40; i++)
        {
            VpExit exit = processor.Run();
            if (exit.Kind == ExitKind.ApicEoi)
                return exit.ApicEoi.Vector;
            exit.Kind.Should().BeOneOf(ExitKind.PortIo, ExitKind.Cancelled);
        }
        return null;
    }

    // Both processors run in real mode with a data segment that reaches the APIC's page; their APICs are enabled.
    private static RealModeGuest Start(LocalApicMode mode)
    {
        RealModeGuest guest = new(KvmHost.Create(), s_code, new PartitionOptions { LocalApic = mode, ProcessorCount = 2 });
        byte[] entry = new byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)Handler);
        guest.Partition.Memory.Write(Handler, mode == LocalApicMode.X2Apic ? s_wideHandler : s_handler);
        guest.Partition.Memory.Write(Vector * 4, entry);
        foreach (IVirtualProcessor processor in guest.Partition.Processors)
        {
            processor.GetState(RegisterGroups.All, out ProcessorState state);
            state.Events.Activity = ProcessorActivity.Running;
            state.Segments.Ds = new SegmentDescriptor(0, 0, uint.MaxValue, 0x8093);
            state.General.Rsp = 0x8000;
            processor.SetState(RegisterGroups.All, in state);
            byte[] page = new byte[1024];
            processor.GetLocalApic(page);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0xF0), 0x1FF);
            processor.SetLocalApic(page);
        }
        return guest;
    }
}
