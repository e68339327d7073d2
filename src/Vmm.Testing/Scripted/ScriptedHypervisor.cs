using Microsoft.Extensions.Logging;

namespace Vmm.Testing;

/// <summary>
/// A backend without a processor: its guests are scripts of exits. For testing what stands above a backend (run loops, devices, machines)
/// without running guest code. It keeps the contract's rules, because it is built on the same base classes as a real backend.
/// </summary>
public sealed class ScriptedHypervisor : HypervisorBase
{
    /// <summary>Makes a backend.</summary>
    /// <param name="loggerFactory">Where it logs; null for nowhere.</param>
    /// <param name="name">Its backend name.</param>
    public ScriptedHypervisor(ILoggerFactory? loggerFactory = null, string name = "scripted")
        : base(
            new HypervisorCapabilities(
                name,
                [
                    Capability.CpuidExits, Capability.MsrExits, Capability.ExceptionExits, Capability.Hypercalls, Capability.MultipleProcessors,
                    Capability.ThreadMigration, Capability.EventState,
                ])
            {
                MaximumProcessors = 64,
                InterceptableExceptions = uint.MaxValue,
                CpuProfiles = [.. Vmm.CpuProfiles.All.Select(profile => profile.Name)],
            },
            loggerFactory)
    {
    }

    /// <summary>What processor 0 of every new partition plays.</summary>
    public IReadOnlyList<ScriptedStep> Script { get; init; } = [];

    /// <summary>Creates a partition, typed.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="NotSupportedException">An option needs a capability that this backend does not declare.</exception>
    public ScriptedPartition Create(PartitionOptions? options = null) => (ScriptedPartition)CreatePartition(options ?? new());

    /// <inheritdoc/>
    protected override PartitionBase CreatePartitionCore(PartitionOptions options)
    {
        ScriptedPartition partition = new(this, options);
        foreach (ScriptedStep step in Script)
            partition.Scripted[0].Script.Add(step);
        return partition;
    }
}
