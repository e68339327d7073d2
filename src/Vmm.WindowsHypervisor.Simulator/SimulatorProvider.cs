using System.Globalization;
using Microsoft.Extensions.Logging;
using Vmm.Emulator;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>
/// The way to the simulated Windows platform, over the emulator, for a <see cref="HypervisorCatalog"/>. Never chosen automatically.
/// </summary>
/// <param name="loggerFactory">Where the backend logs; null for nowhere.</param>
public sealed class SimulatorProvider(ILoggerFactory? loggerFactory = null) : IHypervisorProvider
{
    private const string ReleaseKey = "release", SeedKey = "seed";

    /// <inheritdoc/>
    public string Name => WindowsHypervisorSimulator.BackendName;

    /// <inheritdoc/>
    public string DisplayName => "Simulated Windows Hypervisor Platform";

    /// <inheritdoc/>
    public bool IsAutomatic => false;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> OptionKeys { get; } = [ReleaseKey, SeedKey];

    /// <inheritdoc/>
    public ProbeResult Probe() => new EmulatorProvider().Probe();

    /// <inheritdoc/>
    public IHypervisor Create(HypervisorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        SimulatorOptions simulator = new();
        if (options.TryGetValue(ReleaseKey, out string? release))
        {
            simulator = simulator with
            {
                Release = release switch
                {
                    "11" => WindowsRelease.Windows11,
                    "1803" => WindowsRelease.Windows10Version1803,
                    "22h2" => WindowsRelease.Windows10Version22H2,
                    _ => throw new ArgumentException(
                        $"The simulated platform has no {ReleaseKey}={release}: it has {ReleaseKey}=11, {ReleaseKey}=22h2 and {ReleaseKey}=1803.",
                        nameof(options)),
                },
            };
        }
        if (options.TryGetValue(SeedKey, out string? seed))
        {
            if (!int.TryParse(seed, NumberStyles.None, CultureInfo.InvariantCulture, out int value))
                throw new ArgumentException($"{SeedKey}={seed} is not a whole number from 0 to {int.MaxValue}.", nameof(options));
            simulator = simulator with { DisturbanceSeed = value };
        }
        return new WindowsHypervisorSimulator(new EmulatorHypervisor(loggerFactory), simulator, loggerFactory);
    }
}
