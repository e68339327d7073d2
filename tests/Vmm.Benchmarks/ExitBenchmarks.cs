using BenchmarkDotNet.Attributes;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Benchmarks;

/// <summary>Round trips of one exit: out of the guest, its answer, and back in.</summary>
[MemoryDiagnoser]
public class ExitBenchmarks
{
    private BenchmarkGuest _portOut = null!, _portIn = null!, _store = null!, _load = null!, _halt = null!;

    [GlobalSetup]
    public void Prepare()
    {
        _portOut = Loop(a => a.@out(0x80, al));
        _portIn = Loop(a => a.@in(al, 0x80));
        _store = Loop(a => a.mov(__dword_ptr[rdx], eax));
        _load = Loop(a => a.mov(eax, __dword_ptr[rdx]));
        _halt = Loop(a => a.hlt());
    }

    [GlobalCleanup]
    public void Free()
    {
        foreach (BenchmarkGuest guest in (BenchmarkGuest[])[_portOut, _portIn, _store, _load, _halt])
            guest.Dispose();
    }

    [Benchmark]
    public ulong PortWrite() => Expect(_portOut.Processor.Run(), ExitKind.PortIo).PortIo.Value;

    [Benchmark]
    public void PortRead()
    {
        Expect(_portIn.Processor.Run(), ExitKind.PortIo);
        _portIn.Processor.CompleteRead(1);
    }

    [Benchmark]
    public ulong MmioWrite() => Expect(_store.Processor.Run(), ExitKind.Mmio).Mmio.Value;

    [Benchmark]
    public void MmioRead()
    {
        Expect(_load.Processor.Run(), ExitKind.Mmio);
        _load.Processor.CompleteRead(1);
    }

    /// <summary>A halt, and the interrupt-free way on: the activity set to running.</summary>
    [Benchmark]
    public void Halt()
    {
        IVirtualProcessor processor = _halt.Processor;
        Expect(processor.Run(), ExitKind.Halt);
        processor.GetState(RegisterGroups.Events, out ProcessorState state);
        state.Events.Activity = ProcessorActivity.Running;
        processor.SetState(RegisterGroups.Events, in state);
    }

    private static BenchmarkGuest Loop(Action<Iced.Intel.Assembler> body) => new(a =>
    {
        Iced.Intel.Label top = a.CreateLabel();
        a.Label(ref top);
        body(a);
        a.jmp(top);
    });

    private static VpExit Expect(VpExit exit, ExitKind kind) => exit.Kind == kind ? exit : throw new InvalidOperationException($"The guest made {exit}.");
}
