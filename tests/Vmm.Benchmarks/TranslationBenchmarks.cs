using BenchmarkDotNet.Attributes;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Benchmarks;

/// <summary>What a load costs whose page is in no cache: the guest's four-level walk, each step of it through the second level.</summary>
[MemoryDiagnoser]
public class TranslationBenchmarks
{
    private const int Loads = 100_000, Pages = 8192;

    private BenchmarkGuest _guest = null!;

    [Params(SlatFormat.Ept, SlatFormat.Npt, SlatFormat.None)]
    public SlatFormat Format { get; set; }

    [GlobalSetup]
    public void Prepare() => _guest = new BenchmarkGuest(
        a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.add(rax, __qword_ptr[rbx + rcx]);
            a.add(rcx, 0x1000);
            a.and(ecx, (Pages - 1) << 12);
            a.jmp(top);
        },
        Format,
        Loads * 4);

    [GlobalCleanup]
    public void Free() => _guest.Dispose();

    /// <summary>One load of a page that has left the soft TLB, with the three instructions around it.</summary>
    [Benchmark(OperationsPerInvoke = Loads)]
    public ExitKind Miss() => _guest.Processor.Run().Kind;
}
