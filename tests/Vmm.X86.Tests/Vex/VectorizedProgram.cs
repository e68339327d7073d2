using System.Diagnostics;

namespace Vmm.X86.Tests.Vex;

/// <summary>
/// Loops of every kind that a compiler turns into AVX2, FMA and F16C, as one position-independent image without a library.
/// </summary>
internal static class VectorizedProgram
{
    /// <summary>Bytes of memory that the program works on.</summary>
    public const int MemoryLength = 1 << 18;

    private const string Source = """
        #include <immintrin.h>
        typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16; typedef short s16;
        typedef unsigned int u32; typedef int s32; typedef unsigned long u64; typedef long s64;
        enum { N = 1000 };
        struct memory {
            float f[4][1024], matrix[3][32 * 32];
            double d[4][1024];
            _Float16 h[2][1024];
            u8 b[4][1024]; s8 c[2][1024]; u16 w[3][1024]; s16 v[3][1024]; u32 i[4][1024]; s32 j[4][1024]; u64 q[4][1024]; s64 l[2][1024];
        };
        #define KERNEL static __attribute__((noinline)) void

        KERNEL multiply(struct memory *m)
        {
            for (int i = 0; i < 32; i++)
                for (int j = 0; j < 32; j++) {
                    float s = 0;
                    for (int k = 0; k < 32; k++)
                        s += m->matrix[0][i * 32 + k] * m->matrix[1][k * 32 + j];
                    m->matrix[2][i * 32 + j] = s;
                }
        }
        KERNEL horner(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                double x = m->d[0][i], y = 1.5;
                for (int k = 0; k < 6; k++)
                    y = y * x + m->d[1][k];
                m->d[2][i] = y - m->d[1][i] * x;
                m->d[3][i] = __builtin_sqrt(x * x + 1) / (2 + x * x);
            }
        }
        KERNEL singles(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                float x = m->f[0][i], y = m->f[1][i];
                m->f[2][i] = x > y ? __builtin_floorf(x) : __builtin_ceilf(y) - x * y;
                m->f[3][i] = (x < 0 ? -x : x) * 0.25f + (y > x ? y : x) - __builtin_truncf(y);
            }
        }
        KERNEL halves(struct memory *m)
        {
            for (int i = 0; i < N; i++)
                m->h[1][i] = (_Float16)((float)m->h[0][i] * 1.5f + m->f[0][i]);
        }
        KERNEL conversions(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                m->j[2][i] = (s32)m->f[0][i] + (s32)m->d[0][i];
                m->f[2][i] += (float)m->j[0][i];
                m->d[2][i] += (double)m->j[1][i] + (double)m->f[1][i];
                m->f[3][i] += (float)m->d[0][i];
            }
        }
        KERNEL bytes(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                u8 a = m->b[0][i], b = m->b[1][i];
                m->b[2][i] = (a + b + 1) >> 1;
                m->b[3][i] = a > b ? a - b : b;
                int sum = m->c[0][i] + m->c[1][i];
                m->c[0][i] = sum > 127 ? 127 : sum < -128 ? -128 : sum;
            }
        }
        KERNEL words(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                m->v[2][i] = (m->v[0][i] * m->v[1][i]) >> 16;
                m->w[2][i] = (u16)((m->w[0][i] * (u32)m->w[1][i]) >> 16) ^ (m->w[0][i] < m->w[1][i] ? m->w[0][i] : m->w[1][i]);
            }
            s32 s = 0;
            for (int i = 0; i < N; i++)
                s += m->v[0][i] * m->v[1][i];
            m->j[3][0] = s;
            u32 t = 0;
            for (int i = 0; i < N; i++)
                t += m->b[0][i] > m->b[1][i] ? m->b[0][i] - m->b[1][i] : m->b[1][i] - m->b[0][i];
            m->i[3][0] = t;
        }
        KERNEL doublewords(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                m->i[2][i] = (m->i[0][i] << (m->i[1][i] & 31)) | (m->i[0][i] >> (32 - (m->i[1][i] & 31) & 31));
                m->j[2][i] += m->j[0][i] >> (m->i[1][i] & 31);
                m->j[3][i + 1] = m->j[0][i] * m->j[1][i] + (m->j[0][i] > m->j[1][i] ? m->j[0][i] : -m->j[1][i]);
            }
        }
        KERNEL quadwords(struct memory *m)
        {
            u64 s = 0;
            for (int i = 0; i < N; i++) {
                m->q[2][i] = (u64)m->i[0][i] * m->i[1][i] + (m->q[0][i] >> (m->q[1][i] & 63));
                m->l[1][i] = m->l[0][i] > (s64)m->q[0][i] ? m->l[0][i] ^ (s64)m->q[1][i] : (s64)m->j[0][i];
                s += m->q[0][i] << 3;
            }
            m->q[3][0] = s;
        }
        KERNEL gathers(struct memory *m)
        {
            for (int i = 0; i < N; i += 8) {
                __m256i k = _mm256_and_si256(_mm256_loadu_si256((void *)&m->i[0][i]), _mm256_set1_epi32(1023));
                _mm256_storeu_ps(&m->f[2][i], _mm256_i32gather_ps(m->f[0], k, 4));
                __m256i old = _mm256_loadu_si256((void *)&m->i[3][i]), mask = _mm256_loadu_si256((void *)&m->j[0][i]);
                _mm256_storeu_si256((void *)&m->i[3][i], _mm256_mask_i32gather_epi32(old, (void *)m->i[1], k, mask, 4));
                __m256i wide = _mm256_and_si256(_mm256_loadu_si256((void *)&m->q[0][i]), _mm256_set1_epi64x(1023));
                _mm256_storeu_pd(&m->d[3][i], _mm256_i64gather_pd(m->d[0], wide, 8));
            }
        }
        KERNEL masked(struct memory *m)
        {
            for (int i = 0; i < N; i++)
                if (m->f[0][i] > m->f[1][i])
                    m->f[3][i] = m->f[3][i] * 0.5f + 1;
            for (int i = 0; i < N; i++)
                if (m->q[0][i] > m->q[1][i])
                    m->q[2][i] = m->q[2][i] * 3;
        }
        KERNEL widened(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                m->i[2][i] += m->b[0][i] + m->w[0][i];
                m->j[2][i] -= m->c[1][i] * 3;
                m->q[2][i] += m->i[0][i];
                m->l[1][i] += m->j[0][i];
                m->b[3][i] ^= (u8)(m->w[0][i] >> 3);
                m->w[2][i] += (u16)m->i[0][i];
            }
        }
        KERNEL reversed(struct memory *m)
        {
            for (int i = 0; i < N; i++) {
                m->f[2][i] -= m->f[1][N - 1 - i];
                m->b[2][i] += m->b[0][N - 1 - i];
                m->d[3][i] += m->d[1][N - 1 - i];
            }
        }

        __attribute__((section(".text.start"))) u64 work(struct memory *m, u64 rounds)
        {
            while (rounds--) {
                multiply(m); horner(m); singles(m); halves(m); conversions(m); bytes(m); words(m); doublewords(m); quadwords(m);
                gathers(m); masked(m); widened(m); reversed(m);
            }
            return sizeof *m;
        }
        """;

    private const string Layout = """
        SECTIONS
        {
            . = 0;
            .text : { *(.text.start) *(.text*) *(.rodata*) *(.data*) *(.bss*) }
            /DISCARD/ : { *(.note*) *(.comment*) *(.eh_frame*) }
        }
        """;

    /// <summary>Compiles it; its first byte is its entry.</summary>
    public static byte[] Compile()
    {
        const string Advice = "gcc: cannot be started; apt-get install gcc";
        DirectoryInfo directory = Directory.CreateTempSubdirectory("vmm-vex-");
        try
        {
            string source = Path.Combine(directory.FullName, "work.c"), image = Path.Combine(directory.FullName, "work.bin");
            string layout = Path.Combine(directory.FullName, "work.ld");
            File.WriteAllText(layout, Layout);
            File.WriteAllText(source, Source);
            ProcessStartInfo start = new("gcc",
            [
                "-O3", "-mavx2", "-mfma", "-mf16c", "-mbmi2", "-mtune=haswell", "-ffast-math", "-fPIE",
                "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fcf-protection=none", "-nostdlib", "-static",
                $"-Wl,-T,{layout}", "-Wl,--oformat=binary", "-Wl,-e,work", "-Wl,--build-id=none",
                source, "-o", image,
            ])
            { RedirectStandardError = true };
            using Process gcc = Process.Start(start)!;
            string errors = gcc.StandardError.ReadToEnd();
            gcc.WaitForExit();
            gcc.ExitCode.Should().Be(0, errors);
            return File.ReadAllBytes(image);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            string required = Environment.GetEnvironmentVariable("VMM_REQUIRE") ?? string.Empty;
            required.Split(',', StringSplitOptions.TrimEntries).Should().NotContain("gcc", Advice);
            Skip.If(true, Advice);
            throw;
        }
        finally
        {
            directory.Delete(true);
        }
    }
}
