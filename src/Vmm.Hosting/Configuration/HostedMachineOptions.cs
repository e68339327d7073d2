namespace Vmm;

/// <summary>A machine as configuration describes it. Relative paths start at the host's content root.</summary>
/// <remarks>
/// It starts from exactly one of <see cref="Kernel"/>, <see cref="Elf"/> and <see cref="Flat"/>, or from <see cref="Firmware"/>, which may
/// be offered a kernel.
/// </remarks>
public sealed class HostedMachineOptions
{
    /// <summary>A Linux bzImage, a PVH ELF file or a multiboot image.</summary>
    public string? Kernel { get; set; }

    /// <summary>The kernel's initial RAM disk, or its module.</summary>
    public string? InitialRamDisk { get; set; }

    /// <summary>The kernel's command line, in ASCII.</summary>
    public string? CommandLine { get; set; }

    /// <summary>An ELF executable, entered in the mode of its class.</summary>
    public string? Elf { get; set; }

    /// <summary>A file without a format and where it goes: <c>FILE@ADDRESS</c> or <c>FILE@ADDRESS:ENTRY</c>.</summary>
    public string? Flat { get; set; }

    /// <summary>A firmware ROM.</summary>
    public string? Firmware { get; set; }

    /// <summary>Bytes of RAM, with an optional K, M, G or T: from 1M to 1T, a multiple of 4096.</summary>
    public string Memory { get; set; } = "256M";

    /// <summary>Number of processors.</summary>
    public int Processors { get; set; } = 1;

    /// <summary>Name of a CPU profile, such as <c>v1</c>; null = the backend's default.</summary>
    public string? CpuProfile { get; set; }

    /// <summary>Format of the nested page tables: <c>ept</c>, <c>npt</c> or <c>none</c>; null = the backend's default.</summary>
    public string? Slat { get; set; }

    /// <summary>The disks, in the order in which the guest numbers them.</summary>
    public IList<HostedDiskOptions> Disks { get; } = [];

    /// <summary>
    /// The network card's network: <c>user</c>, and what leads through it, such as <c>user,to-host:tcp:80:8080,to-guest:tcp:2222:22</c>
    /// (<see cref="Vmm.Devices.UserNetworkOptions.Parse"/>); null = there is no card.
    /// </summary>
    public string? Network { get; set; }

    /// <summary>Where the first serial port goes: <c>none</c>, <c>log</c> (line by line into the host's log) or <c>file:PATH</c>.</summary>
    public string Serial { get; set; } = "none";

    /// <summary>The port of a debug-exit device, such as <c>0xF4</c>; null = there is none.</summary>
    public string? DebugExitPort { get; set; }

    /// <summary>Whether a machine whose guest ended its run is started again.</summary>
    public MachineRestart Restart { get; set; }

    /// <summary>
    /// How long the guest may take to shut down after its power button was pressed, when the host stops. The host's own shutdown time
    /// limits it further.
    /// </summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
