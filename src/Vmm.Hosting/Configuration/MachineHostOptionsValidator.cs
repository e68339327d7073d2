using Microsoft.Extensions.Options;
using Vmm.Devices;
using Vmm.Machines;

namespace Vmm;

/// <summary>Checks what can be known of machines before any is made; each message begins with the whole name of the setting.</summary>
internal sealed class MachineHostOptionsValidator(IServiceProvider services, string optionsName) : IValidateOptions<MachineHostOptions>
{
    public ValidateOptionsResult Validate(string? name, MachineHostOptions options)
    {
        if (name != optionsName)
            return ValidateOptionsResult.Skip;
        List<string> failures = [];
        foreach ((string machine, HostedMachineOptions settings) in options.Machines)
            new MachineCheck(services, failures, PathOf(options, machine)).Check(settings, options.Finishes.ContainsKey(machine));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>What a machine's settings are called.</summary>
    internal static string PathOf(MachineHostOptions options, string machine) =>
        $"{(string.IsNullOrEmpty(options.Origin) ? nameof(MachineHostOptions) : options.Origin)}:{nameof(MachineHostOptions.Machines)}:{machine}";

    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(1);

    private readonly struct MachineCheck(IServiceProvider services, List<string> failures, string path)
    {
        internal void Check(HostedMachineOptions settings, bool isFinishedByCode)
        {
            CheckSource(settings, isFinishedByCode);
            Require(
                MemorySize.TryParse(settings.Memory ?? "", out ulong memory) && memory is >= MemoryMap.MinimumSize and <= MemoryMap.MaximumSize && memory % 4096 == 0,
                nameof(settings.Memory), $"'{settings.Memory}' is no size of RAM: write a number with K, M, G or T, from 1M to 1T and a multiple of 4096");
            Require(settings.Processors >= 1, nameof(settings.Processors), $"{settings.Processors} is less than 1");
            Require(
                settings.CpuProfile is null || CpuProfiles.All.Any(profile => string.Equals(profile.Name, settings.CpuProfile, StringComparison.OrdinalIgnoreCase)),
                nameof(settings.CpuProfile), $"there is no profile '{settings.CpuProfile}'; there are {string.Join(", ", CpuProfiles.All.Select(profile => profile.Name))}");
            Require(
                settings.Slat is null || MachineAssembly.SlatFormatOf(settings.Slat) is not null,
                nameof(settings.Slat), $"'{settings.Slat}' is none of ept, npt and none");
            Require(
                settings.Serial is "none" or "log" || settings.Serial?.StartsWith(MachineAssembly.FilePrefix, StringComparison.Ordinal) == true,
                nameof(settings.Serial), $"'{settings.Serial}' is none of none, log and file:PATH");
            Require(
                settings.DebugExitPort is null || (MemorySize.TryParseNumber(settings.DebugExitPort, out ulong port) && port <= ushort.MaxValue),
                nameof(settings.DebugExitPort), $"'{settings.DebugExitPort}' is no port from 0 to 0xFFFF");
            Require(
                settings.ShutdownTimeout >= TimeSpan.Zero || settings.ShutdownTimeout == Timeout.InfiniteTimeSpan,
                nameof(settings.ShutdownTimeout), $"{settings.ShutdownTimeout} is negative");
            Require(
                settings.ShutdownTimeout <= LongestTimeout,
                nameof(settings.ShutdownTimeout), $"{settings.ShutdownTimeout} is longer than a day; a number alone counts days, so write 00:00:10 for ten seconds");
            Require(Enum.IsDefined(settings.Restart), nameof(settings.Restart), $"{settings.Restart} is none of {string.Join(", ", Enum.GetNames<MachineRestart>())}");
            CheckNetwork(settings.Network);
            for (int index = 0; index < settings.Disks.Count; index++)
            {
                string file = $"{nameof(settings.Disks)}:{index}:{nameof(HostedDiskOptions.File)}";
                Require(!string.IsNullOrEmpty(settings.Disks[index].File), file, "it is missing");
                RequireFile(settings.Disks[index].File, file);
            }
        }

        private void CheckNetwork(string? network)
        {
            if (network is null)
                return;
            try
            {
                UserNetworkOptions.Parse(network);
            }
            catch (FormatException exception)
            {
                Require(false, nameof(HostedMachineOptions.Network), exception.Message.TrimEnd('.'));
            }
        }

        private void CheckSource(HostedMachineOptions settings, bool isFinishedByCode)
        {
            int images = new[] { settings.Kernel, settings.Elf, settings.Flat }.Count(image => image is not null);
            if (settings.Firmware is null && images == 0 && !isFinishedByCode)
                failures.Add($"{path}: there is nothing to start from: set Kernel, Elf, Flat or Firmware.");
            if (images > 1)
                failures.Add($"{path}: Kernel, Elf and Flat exclude each other.");
            if (settings.Firmware is not null && (settings.Elf ?? settings.Flat) is not null)
                failures.Add($"{path}: Firmware can be offered a Kernel, but neither Elf nor Flat.");
            Require(settings.InitialRamDisk is null || settings.Kernel is not null, nameof(settings.InitialRamDisk), "it goes with a Kernel, and there is none");
            Require(settings.CommandLine is null || settings.Kernel is not null, nameof(settings.CommandLine), "it goes with a Kernel, and there is none");
            RequireFile(settings.Kernel, nameof(settings.Kernel));
            RequireFile(settings.InitialRamDisk, nameof(settings.InitialRamDisk));
            RequireFile(settings.Elf, nameof(settings.Elf));
            RequireFile(settings.Firmware, nameof(settings.Firmware));
            if (settings.Flat is null)
                return;
            if (FlatSource.TryParse(settings.Flat, out FlatSource? flat))
                RequireFile(flat.File, nameof(settings.Flat));
            else
                Require(false, nameof(settings.Flat), $"'{settings.Flat}' must be FILE@ADDRESS or FILE@ADDRESS:ENTRY");
        }

        private void RequireFile(string? file, string setting)
        {
            if (file is null)
                return;
            string full = file.Contains('\0', StringComparison.Ordinal) ? file : HostPaths.Resolve(services, file);
            Require(File.Exists(full), setting, $"there is no file '{full}'");
        }

        private void Require(bool isRight, string setting, string why)
        {
            if (!isRight)
                failures.Add($"{path}:{setting}: {why}.");
        }
    }
}
