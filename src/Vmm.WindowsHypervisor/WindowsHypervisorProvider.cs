using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor;

/// <summary>
/// The way to the Windows Hypervisor Platform for a <see cref="HypervisorCatalog"/>. Works on every host: elsewhere than on Windows it says
/// why it is not available.
/// </summary>
/// <param name="loggerFactory">Where the backend logs; null for nowhere.</param>
public sealed class WindowsHypervisorProvider(ILoggerFactory? loggerFactory = null) : IHypervisorProvider
{
    private const string Enable =
        "enable it in an elevated PowerShell: Enable-WindowsOptionalFeature -Online -FeatureName HypervisorPlatform -All, then restart";

    /// <inheritdoc/>
    public string Name => WindowsHypervisorBackend.BackendName;

    /// <inheritdoc/>
    public string DisplayName => "Windows Hypervisor Platform";

    /// <inheritdoc/>
    public IReadOnlyCollection<string> OptionKeys { get; } = [];

    /// <inheritdoc/>
    public ProbeResult Probe() => Load(out _);

    /// <inheritdoc/>
    public IHypervisor Create(HypervisorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ProbeResult result = Load(out WhvApi api);
        return result.IsAvailable
            ? new WindowsHypervisorBackend(in api, loggerFactory)
            : throw new HypervisorUnavailableException(Name, result.Reason!, result.Fix);
    }

    private static ProbeResult Load(out WhvApi api)
    {
        api = default;
        if (!OperatingSystem.IsWindows())
            return ProbeResult.Unavailable("the Windows Hypervisor Platform is a part of Windows");
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return ProbeResult.Unavailable("it runs x86-64 guests in x86-64 processes only", "run the x64 build of .NET on an x64 Windows");
        if (!WhvLibrary.TryLoad(out api, out string? reason))
            return ProbeResult.Unavailable($"the Windows Hypervisor Platform is not installed ({reason})", Enable);
        return WhvPlatform.IsPresent(in api)
            ? ProbeResult.Available
            : ProbeResult.Unavailable(
                "the Windows Hypervisor Platform is installed but no hypervisor runs",
                "switch virtualization on in the firmware and run, elevated: bcdedit /set hypervisorlaunchtype auto, then restart");
    }
}
