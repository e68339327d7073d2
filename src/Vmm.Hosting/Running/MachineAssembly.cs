using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vmm.Devices;
using Vmm.Machines;

namespace Vmm;

/// <summary>
/// A machine made of settings, with what it holds of the host: disks and the serial port's end. Made anew for every start.
/// </summary>
internal sealed class MachineAssembly : IAsyncDisposable
{
    internal const string FilePrefix = "file:";

    private readonly List<IDisposable> _owned = [];

    private MachineAssembly()
    {
    }

    internal Machine Machine { get; private set; } = null!;

    /// <summary>Makes a machine.</summary>
    /// <exception cref="OptionsValidationException">A setting turned out to be wrong; the message names it.</exception>
    /// <exception cref="HypervisorException">The backend refused.</exception>
    internal static async Task<MachineAssembly> MakeAsync(MachinePlan plan, IHypervisor hypervisor, CancellationToken cancellationToken)
    {
        MachineAssembly assembly = new();
        try
        {
            MachineOptions options = await assembly.OptionsOfAsync(plan, cancellationToken).ConfigureAwait(false);
            assembly.Machine = new Machine(hypervisor, plan.Finish?.Invoke(plan.Services, options) ?? options);
            return assembly;
        }
        catch (Exception exception)
        {
            await assembly.DisposeAsync().ConfigureAwait(false);
            if (exception is ImageLoadException or ArgumentException or NotSupportedException)
                throw plan.Refuse(null, WithoutParameter(exception));
            throw;
        }
    }

    internal static SlatFormat? SlatFormatOf(string text) => text switch
    {
        "ept" => SlatFormat.Ept,
        "npt" => SlatFormat.Npt,
        "none" => SlatFormat.None,
        _ => null,
    };

    public async ValueTask DisposeAsync()
    {
        if (Machine is not null)
            await Machine.DisposeAsync().ConfigureAwait(false);
        foreach (IDisposable owned in _owned)
            owned.Dispose();
        _owned.Clear();
    }

    // Whoever wrote the settings knows nothing of a method's parameters.
    private static string WithoutParameter(Exception exception)
    {
        string message = exception.Message;
        int parameter = exception is ArgumentException { ParamName: { } name } ? message.IndexOf($" (Parameter '{name}')", StringComparison.Ordinal) : -1;
        return parameter < 0 ? message : message[..parameter];
    }

    private async Task<MachineOptions> OptionsOfAsync(MachinePlan plan, CancellationToken cancellationToken)
    {
        HostedMachineOptions settings = plan.Settings;
        if (!MemorySize.TryParse(settings.Memory, out ulong memory))
            throw plan.Refuse(nameof(settings.Memory), $"'{settings.Memory}' is no size");
        ushort? debugExitPort = null;
        if (settings.DebugExitPort is { } text && MemorySize.TryParseNumber(text, out ulong port))
            debugExitPort = (ushort)port;
        return new MachineOptions
        {
            Image = await ImageOfAsync(plan, memory, cancellationToken).ConfigureAwait(false),
            Firmware = settings.Firmware is { } firmware
                ? new FirmwareImage(await plan.ReadAsync(nameof(settings.Firmware), firmware, FirmwareImage.MaximumSize, cancellationToken).ConfigureAwait(false)) { Name = firmware }
                : null,
            MemorySize = memory,
            ProcessorCount = settings.Processors,
            CpuProfile = settings.CpuProfile is { } profile ? CpuProfiles.ByName(profile) : null,
            SlatFormat = settings.Slat is { } slat ? SlatFormatOf(slat) : null,
            DebugExitPort = debugExitPort,
            Virtio = new VirtioOptions { Disks = OpenDisks(plan), Network = OpenNetwork(plan) },
            SerialOutput = SerialOf(plan),
            HasHostEvents = true, // the power button
            LoggerFactory = plan.LoggerFactory,
        };
    }

    private static async Task<BootImage?> ImageOfAsync(MachinePlan plan, ulong memory, CancellationToken cancellationToken)
    {
        HostedMachineOptions settings = plan.Settings;
        if (settings.Kernel is { } kernel)
        {
            return new KernelImage(await plan.ReadAsync(nameof(settings.Kernel), kernel, memory, cancellationToken).ConfigureAwait(false))
            {
                Name = kernel,
                CommandLine = settings.CommandLine ?? "",
                Modules = settings.InitialRamDisk is { } disk
                    ? [new BootModule(await plan.ReadAsync(nameof(settings.InitialRamDisk), disk, memory, cancellationToken).ConfigureAwait(false), Path.GetFileName(disk))]
                    : [],
            };
        }
        if (settings.Elf is { } elf)
            return new ElfImage(await plan.ReadAsync(nameof(settings.Elf), elf, memory, cancellationToken).ConfigureAwait(false)) { Name = elf };
        if (settings.Flat is { } flat && FlatSource.TryParse(flat, out FlatSource? source))
        {
            return new FlatImage(await plan.ReadAsync(nameof(settings.Flat), source.File, memory, cancellationToken).ConfigureAwait(false), source.Address)
            {
                Name = source.File, Entry = source.Entry,
            };
        }
        return null;
    }

    private List<DiskImage> OpenDisks(MachinePlan plan)
    {
        List<DiskImage> disks = [];
        for (int index = 0; index < plan.Settings.Disks.Count; index++)
        {
            HostedDiskOptions disk = plan.Settings.Disks[index];
            try
            {
                disks.Add(DiskImage.Open(HostPaths.Resolve(plan.Services, disk.File!), disk.ReadOnly));
                _owned.Add(disks[^1]);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw plan.Refuse($"{nameof(plan.Settings.Disks)}:{index}:{nameof(disk.File)}", exception.Message);
            }
        }
        return disks;
    }

    private UserNetwork? OpenNetwork(MachinePlan plan)
    {
        if (plan.Settings.Network is not { } text)
            return null;
        try
        {
            UserNetwork network = new(UserNetworkOptions.Parse(text));
            _owned.Add(network);
            return network;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or SocketException)
        {
            throw plan.Refuse(nameof(plan.Settings.Network), WithoutParameter(exception));
        }
    }

    private SerialOutput? SerialOf(MachinePlan plan)
    {
        if (plan.Settings.Serial == "log")
        {
            SerialLog log = new(plan.LoggerFactory.CreateLogger<IMachineHost>(), plan.Name, plan.Time);
            _owned.Add(log);
            return log.Write;
        }
        if (!plan.Settings.Serial.StartsWith(FilePrefix, StringComparison.Ordinal))
            return null;
        try
        {
            SerialFile file = new(HostPaths.Resolve(plan.Services, plan.Settings.Serial[FilePrefix.Length..]), append: plan.Starts > 0);
            _owned.Add(file);
            return file.Write;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw plan.Refuse(nameof(plan.Settings.Serial), exception.Message);
        }
    }
}
