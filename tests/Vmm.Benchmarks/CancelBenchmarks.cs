using BenchmarkDotNet.Attributes;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Benchmarks;

/// <summary>From a cancel on one thread to the end of the run on another, the guest in a tight loop.</summary>
[MemoryDiagnoser]
public class CancelBenchmarks
{
    private BenchmarkGuest _guest = null!;
    private Thread _runner = null!;
    private volatile bool _stop;
    private volatile int _returned;

    [GlobalSetup]
    public void Prepare()
    {
        _guest = new BenchmarkGuest(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.inc(rax);
            a.jmp(top);
        });
        _runner = new Thread(() =>
        {
            while (!_stop)
            {
                _guest.Processor.Run();
                _returned++;
            }
        });
        _runner.Start();
    }

    [GlobalCleanup]
    public void Free()
    {
        _stop = true;
        _guest.Processor.Cancel();
        _runner.Join();
        _guest.Dispose();
    }

    [Benchmark]
    public void CancelAndReturn()
    {
        int before = _returned;
        _guest.Processor.Cancel();
        while (_returned == before)
            Thread.SpinWait(1);
    }
}
