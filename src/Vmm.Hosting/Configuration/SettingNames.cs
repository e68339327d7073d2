using Microsoft.Extensions.Configuration;

namespace Vmm;

/// <summary>The settings there are: one that is misspelt must not be passed over.</summary>
internal static class SettingNames
{
    internal static readonly string[] Top =
        [nameof(VmmOptions.Backend), nameof(VmmOptions.DeepProbe), nameof(MachineHostOptions.Machines), nameof(MachineHostOptions.StopHostWhenDone)];

    internal static readonly string[] Machine =
    [
        nameof(HostedMachineOptions.CommandLine), nameof(HostedMachineOptions.CpuProfile), nameof(HostedMachineOptions.DebugExitPort),
        nameof(HostedMachineOptions.Disks), nameof(HostedMachineOptions.Elf), nameof(HostedMachineOptions.Firmware), nameof(HostedMachineOptions.Flat),
        nameof(HostedMachineOptions.InitialRamDisk), nameof(HostedMachineOptions.Kernel), nameof(HostedMachineOptions.Memory),
        nameof(HostedMachineOptions.Network),
        nameof(HostedMachineOptions.Processors), nameof(HostedMachineOptions.Restart), nameof(HostedMachineOptions.Serial),
        nameof(HostedMachineOptions.ShutdownTimeout), nameof(HostedMachineOptions.Slat),
    ];

    internal static readonly string[] Disk = [nameof(HostedDiskOptions.File), nameof(HostedDiskOptions.ReadOnly)];

    /// <summary>Says of each key of a section that is no setting which there are.</summary>
    internal static IEnumerable<string> FindUnknown(IConfigurationSection section)
    {
        foreach (string unknown in FindUnknown(section, Top))
            yield return unknown;
        foreach (IConfigurationSection machine in section.GetSection(nameof(MachineHostOptions.Machines)).GetChildren())
        {
            foreach (string unknown in FindUnknown(machine, Machine))
                yield return unknown;
            foreach (IConfigurationSection disk in machine.GetSection(nameof(HostedMachineOptions.Disks)).GetChildren())
            {
                foreach (string unknown in FindUnknown(disk, Disk))
                    yield return unknown;
            }
        }
    }

    private static IEnumerable<string> FindUnknown(IConfigurationSection section, string[] known) => section.GetChildren()
        .Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
        .Select(child => $"{child.Path} is no setting: {section.Path} has {string.Join(", ", known)}.");
}
