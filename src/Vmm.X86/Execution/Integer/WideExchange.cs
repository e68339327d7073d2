namespace Vmm.X86.Execution;

/// <summary>
/// A compare-exchange of 16 bytes. The platform offers none to managed code, so that one lock serialises them against each other; a plain
/// 8-byte store by another processor between the two halves is the one thing it does not exclude.
/// </summary>
// SAFETY: the pointer comes from BeginModify and covers 16 bytes.
internal static unsafe class WideExchange
{
    private static readonly Lock s_lock = new();

    public static UInt128 CompareExchange(ulong* p, UInt128 value, UInt128 expected)
    {
        lock (s_lock)
        {
            ulong low = Volatile.Read(ref p[0]), high = Volatile.Read(ref p[1]);
            UInt128 seen = new(high, low);
            if (seen == expected)
            {
                Volatile.Write(ref p[0], (ulong)value);
                Volatile.Write(ref p[1], (ulong)(value >> 64));
            }
            return seen;
        }
    }
}
