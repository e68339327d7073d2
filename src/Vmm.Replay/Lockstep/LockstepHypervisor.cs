namespace Vmm.Replay;

/// <summary>
/// Two backends that run the same guest: exits are compared, and at rest all state that both have, and memory. The client sees the first
/// backend; what it answers goes to both. The first difference is narrowed down to the instruction and ends the run with a
/// <see cref="ExitKind.Failed"/> exit.
/// </summary>
/// <remarks>
/// <para>
/// Where both backends count time in instructions they stop at the same places, and everything works: several processors, local APICs,
/// interrupts at any time. Else there is one processor without a local APIC, comparisons are made at exits, and interrupts are looked at
/// only there.
/// </para>
/// <para>
/// Processor identification, time and random numbers (CPUID, RDTSC, RDTSCP, RDRAND, RDSEED) are taken from the first backend, and so are
/// flags that the architecture leaves undefined after an instruction: where they explain a difference, the guest goes on.
/// </para>
/// <para>One thread at a time uses a partition's processors.</para>
/// </remarks>
public sealed class LockstepHypervisor : IHypervisor
{
    /// <summary><see cref="FailedExit.Code"/> of the exit that a divergence ends with.</summary>
    public const ulong DivergenceCode = 0x4C4F_434B_5354_4550;

    private static readonly Capability[] s_notHere =
        [Capability.Breakpoints, Capability.Watchpoints, Capability.SingleStep, Capability.DirtyTracking];

    /// <summary>Puts two backends side by side.</summary>
    /// <param name="first">The one that the client sees.</param>
    /// <param name="second">The one that is compared with it; may be the same, with another nested-table format.</param>
    /// <param name="options">How; null = the defaults.</param>
    public LockstepHypervisor(IHypervisor first, IHypervisor second, LockstepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        First = first;
        Second = second;
        Options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfZero(Options.Interval, nameof(options));
        HypervisorCapabilities one = first.Capabilities, two = second.Capabilities;
        bool isCounted = one.Has(Capability.VirtualTime) && two.Has(Capability.VirtualTime);
        IEnumerable<Capability> declared = one.Declared.Where(
            capability => two.Has(capability) && !s_notHere.Contains(capability)
                && (isCounted || (capability != Capability.LocalApic && capability != Capability.X2Apic && capability != Capability.MultipleProcessors)));
        Capabilities = new HypervisorCapabilities(Name, one.Has(Capability.SlatFormatChoice) ? declared.Append(Capability.SlatFormatChoice).Distinct() : declared)
        {
            MaximumProcessors = isCounted ? Math.Min(one.MaximumProcessors, two.MaximumProcessors) : 1,
            PhysicalAddressBits = Math.Min(one.PhysicalAddressBits, two.PhysicalAddressBits),
            InterceptableExceptions = one.InterceptableExceptions & two.InterceptableExceptions,
            SlatFormats = one.SlatFormats,
            CpuProfiles = [.. one.CpuProfiles.Intersect(two.CpuProfiles)],
            Quirks = [.. one.Quirks.Concat(two.Quirks).Distinct()],
        };
    }

    /// <inheritdoc/>
    public string Name => $"lockstep-{First.Name}-{Second.Name}";

    /// <summary>What both backends can do, and lock-step can compare.</summary>
    public HypervisorCapabilities Capabilities { get; }

    /// <summary>The backend that the client sees.</summary>
    public IHypervisor First { get; }

    /// <summary>The backend that is compared with it.</summary>
    public IHypervisor Second { get; }

    /// <summary>How they are compared.</summary>
    public LockstepOptions Options { get; }

    /// <summary>The last partition that was made; null before that.</summary>
    public LockstepPartition? Partition { get; private set; }

    /// <inheritdoc/>
    IPartition IHypervisor.CreatePartition(PartitionOptions options) => CreatePartition(options);

    /// <inheritdoc cref="IHypervisor.CreatePartition"/>
    public LockstepPartition CreatePartition(PartitionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.LocalApic != LocalApicMode.None)
        {
            Capabilities.Require(Capability.LocalApic);
            if (!options.VirtualTime)
                throw new NotSupportedException("Lock-step with local APICs needs PartitionOptions.VirtualTime: their timers would fire at different places.");
        }
        if (options.ProcessorCount != 1)
            Capabilities.Require(Capability.MultipleProcessors);
        if (options.ProcessorCount != 1 && !options.VirtualTime)
            throw new NotSupportedException("Lock-step of several processors needs PartitionOptions.VirtualTime.");
        if (options.CpuProfile is null && Capabilities.CpuProfiles is [string profile, ..])
            options = options with { CpuProfile = CpuProfiles.ByName(profile) };
        bool secondChooses = Second.Capabilities.Has(Capability.SlatFormatChoice);
        PartitionOptions second = options with { SlatFormat = secondChooses ? Options.SecondSlatFormat ?? options.SlatFormat : null };
        IPartition one = First.CreatePartition(options);
        try
        {
            return Partition = new LockstepPartition(this, options, one, Second.CreatePartition(second));
        }
        catch
        {
            one.Dispose();
            throw;
        }
    }
}
