using Microsoft.Extensions.Logging;

namespace Vmm.Emulator;

/// <summary>The way to the emulator for a <see cref="HypervisorCatalog"/>.</summary>
/// <param name="loggerFactory">Where the backend logs; null for nowhere.</param>
public sealed class EmulatorProvider(ILoggerFactory? loggerFactory = null) : IHypervisorProvider
{
    private const string TierKey = "tier";

    /// <inheritdoc/>
    public string Name => "emulator";

    /// <inheritdoc/>
    public string DisplayName => "Managed x86-64 emulator";

    /// <inheritdoc/>
    public IReadOnlyCollection<string> OptionKeys { get; } = [TierKey];

    /// <inheritdoc/>
    public ProbeResult Probe()
    {
        if (!Environment.Is64BitProcess)
            return ProbeResult.Unavailable("it needs the address space of a 64-bit process", "run a 64-bit .NET");
        return BitConverter.IsLittleEndian ? ProbeResult.Available : ProbeResult.Unavailable("it needs a little-endian host");
    }

    /// <inheritdoc/>
    public IHypervisor Create(HypervisorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        // The interpreter is the one tier there is: another that is asked for must not be ignored.
        if (options.TryGetValue(TierKey, out string? tier) && tier is not ("auto" or "0"))
            throw new ArgumentException($"The emulator has no {TierKey}={tier}: it has {TierKey}=auto and {TierKey}=0, the interpreter.", nameof(options));
        return new EmulatorHypervisor(loggerFactory);
    }
}
