using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Vmm;

/// <summary>Base of a backend: checks the options of a partition once, for every backend alike.</summary>
public abstract class HypervisorBase : IHypervisor
{
    /// <summary>Makes a backend.</summary>
    /// <param name="capabilities">What it declares.</param>
    /// <param name="loggerFactory">Where it logs; null for nowhere.</param>
    protected HypervisorBase(HypervisorCapabilities capabilities, ILoggerFactory? loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(capabilities);
        Capabilities = capabilities;
        Logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger(GetType());
    }

    /// <inheritdoc/>
    public string Name => Capabilities.Backend;

    /// <inheritdoc/>
    public HypervisorCapabilities Capabilities { get; }

    /// <summary>The backend's log.</summary>
    protected internal ILogger Logger { get; }

    /// <inheritdoc/>
    public IPartition CreatePartition(PartitionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using Activity? activity = VmmActivities.CreatePartition(Name, options.ProcessorCount);
        try
        {
            Check(options);
            PartitionBase partition = CreatePartitionCore(options);
            LivePartitions.Add(partition);
            BackendLog.PartitionCreated(Logger, Name, options.ProcessorCount);
            return partition;
        }
        catch (Exception exception)
        {
            activity.Fail(exception);
            throw;
        }
    }

    /// <summary>Creates the partition; the options have been checked against the capabilities.</summary>
    protected abstract PartitionBase CreatePartitionCore(PartitionOptions options);

    private void Check(PartitionOptions options)
    {
        if (options.ProcessorCount > 1)
            Capabilities.Require(Capability.MultipleProcessors);
        if (options.ProcessorCount < 1 || options.ProcessorCount > Capabilities.MaximumProcessors)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.ProcessorCount, $"ProcessorCount must be 1 to {Capabilities.MaximumProcessors} on the {Name} backend.");
        }
        if (options.CpuProfile is { } profile && !Capabilities.CpuProfiles.Contains(profile.Name))
        {
            throw new NotSupportedException(
                $"The {Name} backend cannot provide the CPU profile '{profile.Name}'; it has {string.Join(", ", Capabilities.CpuProfiles)}.");
        }
        if (options.CpuProfile is { Leaves: null })
            throw new ArgumentException("CpuProfile.Leaves is null: it needs its list of CPUID leaves.", nameof(options));
        if (options.SlatFormat is { } format)
        {
            Capabilities.Require(Capability.SlatFormatChoice);
            if (!Capabilities.SlatFormats.Contains(format))
                throw new NotSupportedException($"The {Name} backend has no nested tables of format {format}; it has {string.Join(", ", Capabilities.SlatFormats)}.");
        }
        if (!Enum.IsDefined(options.LocalApic))
            throw new ArgumentOutOfRangeException(nameof(options), options.LocalApic, "LocalApic must be None, XApic or X2Apic.");
        if (options.CpuidExits is null)
            throw new ArgumentException("CpuidExits is null: leave it out where no leaf shall exit.", nameof(options));
        if (options.LocalApic != LocalApicMode.None)
            Capabilities.Require(Capability.LocalApic);
        if (options.LocalApic == LocalApicMode.X2Apic)
            Capabilities.Require(Capability.X2Apic);
        if (options.CpuidExits.Count != 0)
            Capabilities.Require(Capability.CpuidExits);
        if (options.ExceptionExits != 0)
        {
            Capabilities.Require(Capability.ExceptionExits);
            uint missing = options.ExceptionExits & ~Capabilities.InterceptableExceptions;
            if (missing != 0)
                throw new NotSupportedException($"The {Name} backend cannot intercept the exceptions in mask 0x{missing:X}; it can those in 0x{Capabilities.InterceptableExceptions:X}.");
        }
        if (options.HypercallExits)
            Capabilities.Require(Capability.Hypercalls);
        if (options.EnforceExecute)
            Capabilities.Require(Capability.ExecuteProtection);
        if (options.InstructionBudget != 0)
            Capabilities.Require(Capability.InstructionBudget);
        if (options.VirtualTime)
            Capabilities.Require(Capability.VirtualTime);
        if (options.MsrPolicy is { } policy)
            Check(policy);
    }

    private void Check(MsrPolicy policy)
    {
        if (policy.Ranges is null)
            throw new ArgumentException("MsrPolicy.Ranges is null: leave it out where there are none.", nameof(policy));
        bool exits = policy.Unknown == MsrAction.Exit;
        foreach (MsrRange range in policy.Ranges)
        {
            if (range.Last < range.First)
                throw new ArgumentException($"MSR range 0x{range.First:X} to 0x{range.Last:X} is empty.", nameof(policy));
            exits |= range.Read != MsrAction.Allow || range.Write != MsrAction.Allow;
        }
        if (exits)
            Capabilities.Require(Capability.MsrExits);
    }
}
