using System.Buffers.Binary;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The order in which one processor sees the accesses of another: litmus tests that run free and are judged afterwards.</summary>
/// <remarks>
/// Step n of a processor stores n. What it loads in each step is kept, so that for every pair of steps it can be said what one saw of the
/// other.
/// </remarks>
internal static class OrderingCases
{
    private const int Steps = 60_000;
    private const ulong X = GuestLayout.Data + 0x100, Y = GuestLayout.Data + 0x180;
    private const ulong First = GuestLayout.HighMemory, Second = GuestLayout.HighMemory + 0x8_0000;

    public static ConformanceCase[] All =>
    [
        Case("ordering.message_passing", "Who sees a flag sees what was stored before it", "SDM Vol. 3A 9.2.3.2", MessagePassing),
        Case("ordering.load_buffering", "No load sees a store that comes after one that depends on it", "SDM Vol. 3A 9.2.3.3", LoadBuffering),
        Case("ordering.store_buffering_fenced", "With MFENCE between store and load, one of two processors sees the other's store", "SDM Vol. 3A 9.2.5",
            StoreBuffering),
        Case("ordering.same_location", "Loads of one location never go back in time", "SDM Vol. 3A 9.2.3.2", SameLocation),
    ];

    private static ConformanceCase Case(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.MultipleProcessors] };

    /// <summary>Runs steps on both processors: EBX is the step, RSI where its record goes.</summary>
    private static uint[][] Run(ConformanceContext c, Action<Assembler, int> step)
    {
        GuestCrew crew = AtomicCases.Pair(c, (a, index) =>
        {
            a.xor(ebx, ebx);
            a.mov(esi, (int)(index == 0 ? First : Second));
            AtomicCases.Repeat(a, Steps, () =>
            {
                a.inc(ebx);
                step(a, index);
                a.add(rsi, 8);
            });
        });
        crew.RunAll();
        return [.. new[] { First, Second }.Select(at => Words(crew.Machine.PeekBytes(at, Steps * 8)))];
    }

    private static uint[] Words(byte[] bytes)
    {
        uint[] words = new uint[bytes.Length / 4];
        for (int i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i * 4));
        return words;
    }

    private static void MessagePassing(ConformanceContext c)
    {
        uint[] seen = Run(c, (a, index) =>
        {
            if (index == 0)
            {
                a.mov(__dword_ptr[X], ebx);
                a.mov(__dword_ptr[Y], ebx);
                return;
            }
            a.mov(eax, __dword_ptr[Y]);
            a.mov(edx, __dword_ptr[X]);
            a.mov(__dword_ptr[rsi], eax);
            a.mov(__dword_ptr[rsi + 4], edx);
        })[1];
        for (int i = 0; i < Steps; i++)
        {
            if (seen[(2 * i) + 1] < seen[2 * i])
                Verify.Fail($"In step {i + 1} the flag was {seen[2 * i]}, and what it stands for only {seen[(2 * i) + 1]}.");
        }
    }

    private static void LoadBuffering(ConformanceContext c)
    {
        uint[][] seen = Run(c, (a, index) =>
        {
            a.mov(eax, __dword_ptr[index == 0 ? X : Y]);
            a.mov(__dword_ptr[index == 0 ? Y : X], ebx);
            a.mov(__dword_ptr[rsi], eax);
        });
        for (uint i = 1; i <= Steps; i++)
        {
            uint j = seen[0][2 * (i - 1)]; // step i of the first saw step j of the second
            if (j != 0 && seen[1][2 * (j - 1)] >= i)
                Verify.Fail($"Step {i} of one processor and step {j} of the other each saw the other's later store.");
        }
    }

    private static void StoreBuffering(ConformanceContext c)
    {
        uint[][] seen = Run(c, (a, index) =>
        {
            a.mov(__dword_ptr[index == 0 ? X : Y], ebx);
            a.mfence();
            a.mov(eax, __dword_ptr[index == 0 ? Y : X]);
            a.mov(__dword_ptr[rsi], eax);
        });
        for (uint i = 1; i <= Steps; i++)
        {
            uint j = seen[0][2 * (i - 1)] + 1; // step i of the first did not see step j of the second
            if (j <= Steps && seen[1][2 * (j - 1)] < i)
                Verify.Fail($"Step {i} of one processor and step {j} of the other did not see each other.");
        }
    }

    private static void SameLocation(ConformanceContext c)
    {
        uint[] seen = Run(c, (a, index) =>
        {
            if (index == 0)
            {
                a.mov(__dword_ptr[X], ebx);
                return;
            }
            a.mov(eax, __dword_ptr[X]);
            a.mov(edx, __dword_ptr[X]);
            a.mov(__dword_ptr[rsi], eax);
            a.mov(__dword_ptr[rsi + 4], edx);
        })[1];
        for (int i = 1; i < seen.Length; i++)
        {
            if (seen[i] < seen[i - 1])
                Verify.Fail($"Load {i} gave {seen[i]} after {seen[i - 1]}.");
        }
    }
}
