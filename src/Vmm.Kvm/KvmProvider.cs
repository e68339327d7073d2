using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>
/// The way to KVM for a <see cref="HypervisorCatalog"/>. Works on every host: where KVM cannot be used it says why, and what to do.
/// </summary>
/// <param name="loggerFactory">Where the backend logs; null for nowhere.</param>
public sealed class KvmProvider(ILoggerFactory? loggerFactory = null) : IHypervisorProvider
{
    private const string DefaultDevice = "/dev/kvm", DeviceKey = "device", AssistKey = "assist";
    private const int ApiVersion = 12;

    /// <inheritdoc/>
    public string Name => KvmBackend.BackendName;

    /// <inheritdoc/>
    public string DisplayName => "Linux KVM";

    /// <summary>
    /// <c>device</c>: path of the device, normally /dev/kvm. <c>assist</c>: <c>on</c> (the default) or <c>off</c>, whether instructions
    /// that the kernel fails at are
    /// finished by the interpreter.
    /// </summary>
    public IReadOnlyCollection<string> OptionKeys { get; } = [DeviceKey, AssistKey];

    /// <inheritdoc/>
    public ProbeResult Probe()
    {
        ProbeResult result = Open(DefaultDevice, out KvmFile? system);
        system?.Dispose();
        return result;
    }

    /// <inheritdoc/>
    public ProbeResult ProbeAutomatic()
    {
        ProbeResult result = Probe();
        // Such a kernel interprets guests' kernels itself, an instruction at a time: the managed emulator is faster and has more.
        return result.IsAvailable && !KvmPlatform.HasHardware
            ? ProbeResult.Unavailable(
                "this host's KVM emulates processors in software, far slower than the emulator",
                "choose it by name where that is wanted, e.g. --backend kvm")
            : result;
    }

    /// <inheritdoc/>
    public IHypervisor Create(HypervisorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string device = options.Values.GetValueOrDefault(DeviceKey, DefaultDevice);
        bool assist = options.Values.GetValueOrDefault(AssistKey, "on") switch
        {
            "on" => true,
            "off" => false,
            string other => throw new ArgumentException($"The option {AssistKey} is on or off, not '{other}'.", nameof(options)),
        };
        ProbeResult result = Open(device, out KvmFile? system);
        return system is not null
            ? new KvmBackend(new KvmPlatform(system), loggerFactory, assist)
            : throw new HypervisorUnavailableException(DisplayName, result.Reason!, result.Fix);
    }

    private static ProbeResult Open(string device, out KvmFile? system)
    {
        system = null;
        if (!OperatingSystem.IsLinux())
            return ProbeResult.Unavailable("KVM is a part of Linux");
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return ProbeResult.Unavailable("it runs x86-64 guests in x86-64 processes only",
                "run the x64 build of .NET on an x86-64 Linux");
        int file = Libc.Open(device, Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        if (file < 0)
            return Refused(device, Marshal.GetLastPInvokeError());
        KvmFile opened = new(file);
        ProbeResult result = Examine(device, file);
        if (result.IsAvailable)
            system = opened;
        else
            opened.Dispose();
        return result;
    }

    private static ProbeResult Refused(string device, int error) => error switch
    {
        Errno.NoEntry => ProbeResult.Unavailable(
            $"there is no {device}",
            "switch virtualization on in the firmware (in a virtual machine: nested virtualization; in a container: pass the device in) "
            + "and load kvm_intel or kvm_amd"),
        Errno.AccessDenied or Errno.NotPermitted => ProbeResult.Unavailable(
            $"this user may not open {device}", "add the user to its group (sudo usermod -aG kvm $USER) and log in again"),
        Errno.NoDevice or Errno.NoDeviceOrAddress => ProbeResult.Unavailable(
            $"{device} is there but no KVM module is behind it", "load kvm_intel or kvm_amd"),
        _ => ProbeResult.Unavailable($"{device} cannot be opened ({Errno.Name(error)})"),
    };

    private static ProbeResult Examine(string device, int file)
    {
        int version = Libc.Control(file, KvmIoctl.GetApiVersion, 0);
        if (version < 0)
            return ProbeResult.Unavailable($"{device} is not KVM's device");
        if (version != ApiVersion)
            return ProbeResult.Unavailable($"its API has version {version}, not {ApiVersion}", "update the kernel");
        foreach ((KvmCapability capability, string name) in (ReadOnlySpan<(KvmCapability, string)>)
            [
                (KvmCapability.UserMemory, "KVM_CAP_USER_MEMORY"), (KvmCapability.ReadOnlyMemory, "KVM_CAP_READONLY_MEM"),
                (KvmCapability.VcpuEvents, "KVM_CAP_VCPU_EVENTS"), (KvmCapability.DebugRegisters, "KVM_CAP_DEBUGREGS"),
                (KvmCapability.MpState, "KVM_CAP_MP_STATE"), (KvmCapability.UserNmi, "KVM_CAP_USER_NMI"),
                (KvmCapability.Xsave, "KVM_CAP_XSAVE"),
                (KvmCapability.SyncRegisters, "KVM_CAP_SYNC_REGS"), (KvmCapability.ImmediateExit, "KVM_CAP_IMMEDIATE_EXIT"),
            ])
        {
            if (Libc.Control(file, KvmIoctl.CheckExtension, (nint)capability) <= 0)
                return ProbeResult.Unavailable($"this kernel's KVM lacks {name}", "use Linux 4.17 or newer");
        }
        // Whether the processors are free shows here first.
        int machine = KvmPlatform.TryCreateMachine(file);
        if (machine < 0)
            return NoMachine(device, Marshal.GetLastPInvokeError());
        _ = Libc.Close(machine);
        return ProbeResult.Available;
    }

    private static ProbeResult NoMachine(string device, int error)
    {
        HypervisorException refused = KvmFailure.Of(error, KvmFailure.CreateMachine);
        string reason = $"{device} makes no virtual machine ({Errno.Name(error)})";
        return refused.Hint is { } hint ? ProbeResult.Unavailable(reason, hint) : ProbeResult.Unavailable(reason);
    }
}
