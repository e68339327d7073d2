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

    /// <summary>Whether a mutant is active.</summary>
    public static bool Broken(Mutant mutant) => s_active == mutant;
}
