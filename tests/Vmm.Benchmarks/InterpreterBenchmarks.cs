using BenchmarkDotNet.Attributes;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Benchmarks;

/// <summary>Speed of loops: the time given is one guest instruction's, so that MIPS = 1000 / nanoseconds.</summary>
[MemoryDiagnoser]
public class InterpreterBenchmarks
{
    private const int Instructions = 1_000_000;

    private BenchmarkGuest _guest = null!;

    [Params("alu", "memory", "call", "sse")]
    public string Loop { get; set; } = "alu";

    [GlobalSetup]
    public void Prepare() => _guest = new BenchmarkGuest(
        a =>
        {
            Label top = a.CreateLabel(), function = a.CreateLabel();
            a.Label(ref top);
            switch (Loop)
            {
                case "alu":
                    a.add(rax, rcx);
                    a.xor(rcx, rax);
                    a.shl(rax, 3);
                    a.sub(r8, rcx);
                    a.lea(r9, __[rax + (rcx * 4) + 5]);
                    a.imul(r10, r9);
                    a.inc(r11);
                    break;
                case "memory":
                    a.mov(rax, __qword_ptr[rsi + (rcx * 8)]);
                    a.add(rax, __qword_ptr[rdi]);
                    a.mov(__qword_ptr[rdi + (rcx * 8)], rax);
                    a.add(__dword_ptr[rbx + 16], 1);
                    a.inc(rcx);
                    a.and(ecx, 0xFFF);
                    break;
                case "call":
                    a.call(function);
                    a.push(rax);
                    a.pop(rcx);
                    break;
                default:
                    a.movapd(xmm2, xmm0);
                    a.mulsd(xmm2, xmm1);
                    a.addsd(xmm3, xmm2);
                    a.paddd(xmm4, xmm5);
                    a.movsd(__qword_ptr[rbx], xmm3);
                    a.pxor(xmm5, xmm4);
                    break;
            }
            a.jmp(top);
            a.Label(ref function);
            a.add(rax, 1);
            a.ret();
        },
        budget: Instructions);

    [GlobalCleanup]
    public void Free() => _guest.Dispose();

    [Benchmark(OperationsPerInvoke = Instructions)]
    public ExitKind Instruction()
    {
        ExitKind kind = _guest.Processor.Run().Kind;
        return kind == ExitKind.Cancelled ? kind : throw new InvalidOperationException($"The guest made {kind}.");
    }
}
