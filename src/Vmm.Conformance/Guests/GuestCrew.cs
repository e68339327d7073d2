using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance;

/// <summary>Several processors of one machine, each with code and a stack of its own, run by threads of their own.</summary>
/// <remarks>
/// In 32- and 64-bit guests EBP holds a processor's index; where there are local APICs in xAPIC mode EBX holds their page, and they are
/// enabled by software before the case's own code begins. The tables of the first processor serve all.
/// </remarks>
internal sealed class GuestCrew
{
    /// <summary>The local APIC's page.</summary>
    public const uint ApicPage = 0xFEE0_0000;

    /// <summary>Space for the code of one processor.</summary>
    public const ulong CodeSize = 0x1000;

    private const ulong StackSize = 0x400;
    private readonly ConformanceContext _context;
    private readonly GuestThread?[] _runners;
    private readonly LocalApicMode _apic;

    /// <summary>Makes the machine; no processor but the first has code yet.</summary>
    /// <param name="c">The case's context.</param>
    /// <param name="count">Processors, at most 4.</param>
    /// <param name="mode">A mode with 32 or 64 bits.</param>
    /// <param name="apic">Local APICs in the backend, or none.</param>
    /// <param name="build">Writes the code of a processor, by its index.</param>
    public GuestCrew(ConformanceContext c, int count, GuestMode mode, LocalApicMode apic, Action<Assembler, int> build)
    {
        _context = c;
        _apic = apic;
        _runners = new GuestThread?[count];
        Machine = c.CreateMachine(o => o with { ProcessorCount = count, LocalApic = apic, InstructionBudget = 0 });
        for (int i = 0; i < count; i++)
            Assemble(i, mode, build);
        Machine.Enter(mode);
        Processor(0).GetState(RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control, out ProcessorState first);
        for (int i = 0; i < count; i++)
            Prepare(i, first);
    }

    /// <summary>The machine.</summary>
    public GuestMachine Machine { get; }

    /// <summary>A processor.</summary>
    public IVirtualProcessor Processor(int index) => Machine.Partition.Processors[index];

    /// <summary>Lets a processor run on a thread of its own until it marks its end.</summary>
    public void Start(int index) => _runners[index] = _context.Start($"processor {index}", () => RunToMark(index));

    /// <summary>Lets a processor run on a thread of its own, and hands its exit on.</summary>
    public GuestThread Start(int index, Action<VpExit> ended) =>
        _runners[index] = _context.Start($"processor {index}", () => ended(Processor(index).Run()));

    /// <summary>Starts every processor and waits until each has marked its end.</summary>
    public void RunAll(int milliseconds = 10_000)
    {
        for (int i = 0; i < _runners.Length; i++)
            Start(i);
        JoinAll(milliseconds);
    }

    /// <summary>Waits for every processor that was started.</summary>
    public void JoinAll(int milliseconds = 10_000)
    {
        for (int i = 0; i < _runners.Length; i++)
            _runners[i]?.Join($"Processor {i}", milliseconds);
    }

    /// <summary>Runs a processor until it marks its end, on the calling thread.</summary>
    public void RunToMark(int index)
    {
        VpExit exit = Processor(index).Run();
        Machine.Exits.Add(exit);
        if (exit.Kind != ExitKind.PortIo || exit.PortIo.Port != GuestLayout.MarkPort)
            Verify.Fail($"Processor {index}: expected PortIo on port 0x{GuestLayout.MarkPort:X}, got {exit}.");
        Verify.Equal(Processor(index).CompletePending(out VpExit _), CompletionStatus.Done, $"Completion on processor {index}");
    }

    private void Assemble(int index, GuestMode mode, Action<Assembler, int> build) =>
        Machine.Assemble(GuestMachine.Bitness(mode), GuestLayout.Code + ((ulong)index * CodeSize), a =>
        {
            if (_apic == LocalApicMode.XApic)
            {
                a.mov(ebx, ApicPage);
                a.mov(__dword_ptr[ebx + 0xF0], 0x1FF);
            }
            else if (_apic == LocalApicMode.X2Apic)
            {
                a.mov(ecx, 0x80F);
                a.xor(edx, edx);
                a.mov(eax, 0x1FF);
                a.wrmsr();
            }
            build(a, index);
        });

    private void Prepare(int index, ProcessorState state)
    {
        IVirtualProcessor processor = Processor(index);
        RegisterGroups groups = RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control;
        if (Machine.Partition.Capabilities.Has(Capability.EventState))
            groups |= RegisterGroups.Events;
        processor.GetState(RegisterGroups.Control, out ProcessorState own);
        state.Control.ApicBase = own.Control.ApicBase;
        state.General.Rip = GuestLayout.Code + ((ulong)index * CodeSize);
        state.General.Rsp = GuestLayout.StackTop - ((ulong)index * StackSize);
        state.General.Rbp = (ulong)index;
        state.Events = default;
        processor.SetState(groups, state);
    }
}
