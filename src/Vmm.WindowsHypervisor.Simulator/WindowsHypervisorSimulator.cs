using Microsoft.Extensions.Logging;
using Vmm.WindowsHypervisor.Interop.Probing;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>
/// The Windows backend as it ships, over a simulated platform: the functions of the Windows Hypervisor Platform, carried out by another
/// backend.
/// </summary>
/// <remarks>The simulation is strict: it refuses what the platform refuses, and what the platform leaves undefined it poisons.</remarks>
public sealed class WindowsHypervisorSimulator : IHypervisor, IProbedPlatform
{
    /// <summary>Name of the backend over the simulated platform.</summary>
    public const string BackendName = "whp-simulator";

    private readonly SimulatedPlatform _platform;
    private readonly WindowsHypervisorBackend _backend;

    /// <summary>Makes the simulated platform and the backend over it.</summary>
    /// <param name="inner">
    /// The backend that carries the guests out. Its local APICs, exits and counts are what the platform offers. It must leave the registers
    /// of an unfinished instruction as they were, which the emulator does; that is tried here.
    /// </param>
    /// <param name="options">How the platform behaves.</param>
    /// <param name="loggerFactory">Where the Windows backend logs; null for nowhere.</param>
    /// <exception cref="NotSupportedException">The backend behind changes registers before an instruction is finished.</exception>
    public WindowsHypervisorSimulator(IHypervisor inner, SimulatorOptions? options = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        UnfinishedInstruction.RequireUntouched(inner);
        _platform = new SimulatedPlatform(inner, options ?? new SimulatorOptions());
        using (_platform.Enter())
            _backend = new WindowsHypervisorBackend(SimulatedExports.Table(_platform.Options.Release), loggerFactory, BackendName);
    }

    /// <inheritdoc/>
    public string Name => _backend.Name;

    /// <inheritdoc/>
    public HypervisorCapabilities Capabilities => _backend.Capabilities;

    /// <summary>Calls of the platform's functions so far.</summary>
    public int Calls => _platform.Calls;

    /// <summary>Partitions of the platform that are not deleted.</summary>
    public int LivePartitions => _platform.LivePartitions;

    /// <summary>Exceptions that escaped the simulation itself: none in a right one.</summary>
    public IReadOnlyCollection<Exception> Faults => _platform.Faults;

    /// <summary>Makes this the platform of what the calling thread does without a handle, until the result is disposed.</summary>
    internal IDisposable Enter() => _platform.Enter();

    /// <inheritdoc/>
    public IPartition CreatePartition(PartitionOptions options)
    {
        using (_platform.Enter())
        {
            IPartition partition = _backend.CreatePartition(options);
            SimulatedPlatform.Watch((WhvPartition)partition);
            return partition;
        }
    }

    PlatformProbe IProbedPlatform.CreateProbe() => new(in _backend.Platform.Api, () => _platform.Enter());
}
