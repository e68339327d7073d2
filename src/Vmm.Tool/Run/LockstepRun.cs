using Vmm.Replay;

namespace Vmm.Tool.Run;

/// <summary>Two backends that run one guest, for <c>--lockstep</c>.</summary>
internal static class LockstepRun
{
    /// <summary>Puts a second backend beside the first.</summary>
    public static LockstepHypervisor Create(IHypervisor first, RunSettings settings)
    {
        IHypervisor second = Backends.Create(settings.Lockstep!, "--lockstep");
        bool canChoose = second.Capabilities.Has(Capability.SlatFormatChoice);
        // The same format twice would compare little where another can be had.
        SlatFormat? format = canChoose ? (settings.SlatFormat == SlatFormat.Npt ? SlatFormat.Ept : SlatFormat.Npt) : null;
        bool isCounted = IsCounted(first) && IsCounted(second);
        return new LockstepHypervisor(first, second, new LockstepOptions { SecondSlatFormat = format, Tolerances = isCounted ? [] : LockstepTolerances.All });
    }

    /// <summary>Time is counted in instructions.</summary>
    public static bool IsCounted(IHypervisor hypervisor) => hypervisor.Capabilities.Has(Capability.VirtualTime);

    /// <summary>Says what came of it.</summary>
    /// <returns>The exit status of a difference; null = there was none.</returns>
    public static int? Report(LockstepHypervisor hypervisor, TextWriter error)
    {
        if (hypervisor.Partition is not { } partition)
            return null;
        foreach ((string name, ulong count) in partition.Tolerated)
            error.WriteLine($"vmm: lock-step: {name}, {count} times: known, and not counted as a difference.");
        if (partition.Divergence is { } divergence)
        {
            error.WriteLine($"vmm: {divergence}");
            return ExitStatus.Diverged;
        }
        error.WriteLine($"vmm: lock-step of {hypervisor.First.Name} and {hypervisor.Second.Name}: {partition.Comparisons} comparisons, no difference.");
        return null;
    }
}
