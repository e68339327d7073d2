namespace Vmm.Emulator.Mutants;

/// <summary>The switch: which way the emulator is broken now, in the whole process.</summary>
public static class Mutation
{
    private static volatile Mutant s_active;

    /// <summary>The active mutant.</summary>
    public static Mutant Active
    {
        get => s_active;
        set => s_active = value;
    }

    private static int s_lingered;

    /// <summary>
    /// Lets others run in the middle of what should be one access, now and then for long enough that they do even on a busy host.
    /// </summary>
    public static void Linger()
    {
        if ((Interlocked.Increment(ref s_lingered) & 0x3FF) == 0)
            Thread.Sleep(1);
        else
            Thread.Yield();
    }

    /// <summary>Whether a mutant is active.</summary>
    public static bool Broken(Mutant mutant) => s_active == mutant;
}
