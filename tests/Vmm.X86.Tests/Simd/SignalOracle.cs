using System.Diagnostics;

namespace Vmm.X86.Tests.Simd;

/// <summary>
/// A small program that runs SSE instructions with any MXCSR in a process of its own, where an unmasked exception is a signal that it
/// survives: records of operation, MXCSR and two operands in, records of fault, MXCSR and result out.
/// </summary>
internal static class SignalOracle
{
    public const int RequestSize = 40, AnswerSize = 24;

    private const string Source = """
        #include <setjmp.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <ucontext.h>
        #include <emmintrin.h>

        static sigjmp_buf resume;
        static volatile uint32_t stopped;

        static void on_signal(int number, siginfo_t *info, void *context)
        {
            stopped = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr;
            siglongjmp(resume, 1);
        }

        typedef __m128i (*operation)(__m128i, __m128i);
        #define OPERATION(name, text) \
            static __attribute__((noinline)) __m128i name(__m128i a, __m128i b) { __asm__ volatile(text : "+x"(a) : "x"(b)); return a; }
        @FUNCTIONS@
        static const operation table[] = { @NAMES@ };

        struct request { uint32_t operation, mxcsr; __m128i_u a, b; };
        struct answer { uint32_t faulted, mxcsr; __m128i_u value; };

        int main(void)
        {
            struct sigaction action = { 0 };
            action.sa_sigaction = on_signal;
            action.sa_flags = SA_SIGINFO;
            sigaction(SIGFPE, &action, 0);
            static struct request request;
            static struct answer answer;
            while (fread(&request, sizeof request, 1, stdin) == 1) {
                if (!sigsetjmp(resume, 1)) {
                    _mm_setcsr(request.mxcsr);
                    __m128i value = table[request.operation](request.a, request.b);
                    uint32_t mxcsr = _mm_getcsr();
                    _mm_setcsr(0x1f80);
                    answer.value = value;
                    answer.mxcsr = mxcsr;
                    answer.faulted = 0;
                } else {
                    _mm_setcsr(0x1f80);
                    answer.value = request.a;
                    answer.mxcsr = stopped;
                    answer.faulted = 1;
                }
                fwrite(&answer, sizeof answer, 1, stdout);
            }
            return 0;
        }
        """;

    /// <summary>Compiles it for the given instructions (with AT&amp;T operands) and answers all requests.</summary>
    public static byte[] Run(IReadOnlyList<string> instructions, byte[] requests)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("vmm-simd-");
        try
        {
            string source = Path.Combine(directory.FullName, "oracle.c"), program = Path.Combine(directory.FullName, "oracle");
            string functions = string.Join('\n', instructions.Select((text, i) => $"OPERATION(operation{i}, \"{text}\")"));
            string names = string.Join(", ", instructions.Select((_, i) => $"operation{i}"));
            string text = Source.Replace("@FUNCTIONS@", functions, StringComparison.Ordinal);
            File.WriteAllText(source, text.Replace("@NAMES@", names, StringComparison.Ordinal));
            OutsideTool.Run("gcc", "gcc", null, "gcc", "-O1", "-D_GNU_SOURCE", source, "-o", program);
            File.WriteAllBytes(program + ".in", requests);
            using Process run = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"'{program}' < '{program}.in' > '{program}.out'"]))!;
            run.WaitForExit();
            run.ExitCode.Should().Be(0);
            return File.ReadAllBytes(program + ".out");
        }
        finally
        {
            directory.Delete(true);
        }
    }
}
