using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.Emulator.Interrupts;

/// <summary>256 bits, one for each vector: IRR, ISR or TMR. Every operation on one vector is atomic.</summary>
[InlineArray(WordCount)]
internal struct VectorSet
{
    private const int WordCount = 4;

    private ulong _first;

    /// <summary>Adds a vector.</summary>
    /// <returns>Whether it was not there.</returns>
    public bool Add(int vector)
    {
        ulong bit = 1UL << (vector & 63);
        return (Interlocked.Or(ref this[vector >> 6], bit) & bit) == 0;
    }

    /// <summary>Removes a vector.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(int vector)
    {
        ulong bit = 1UL << (vector & 63);
        return (Interlocked.And(ref this[vector >> 6], ~bit) & bit) != 0;
    }

    /// <summary>Whether a vector is there.</summary>
    public readonly bool Contains(int vector) => ((Volatile.Read(in this[vector >> 6]) >> (vector & 63)) & 1) != 0;

    /// <summary>The highest vector, or 0 when there is none: vectors below 16 are never added.</summary>
    public readonly int Highest()
    {
        for (int word = WordCount - 1; word >= 0; word--)
        {
            ulong bits = Volatile.Read(in this[word]);
            if (bits != 0)
                return (word << 6) + BitOperations.Log2(bits);
        }

        return 0;
    }

    /// <summary>Removes everything.</summary>
    public void Clear()
    {
        for (int word = 0; word < WordCount; word++)
            Volatile.Write(ref this[word], 0);
    }

    /// <summary>Thirty-two vectors as a register shows them.</summary>
    /// <param name="index">0 for vectors 31:0, up to 7.</param>
    public readonly uint GetRegister(int index) => (uint)(Volatile.Read(in this[index >> 1]) >> ((index & 1) * 32));

    /// <summary>Sets thirty-two vectors at once; no other thread may be using the set.</summary>
    /// <param name="index">0 for vectors 31:0, up to 7.</param>
    /// <param name="value">The bits.</param>
    public void SetRegister(int index, uint value)
    {
        int shift = (index & 1) * 32;
        ref ulong word = ref this[index >> 1];
        word = (word & ~((ulong)uint.MaxValue << shift)) | ((ulong)value << shift);
    }
}
