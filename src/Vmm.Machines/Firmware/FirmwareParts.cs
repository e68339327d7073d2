using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>What firmware adds to a machine: its ROM below 4 GiB and 1 MiB, and the devices that only firmware uses.</summary>
internal sealed class FirmwareParts : IDisposable
{
    private const ulong RomEnd = 0x1_0000_0000;

    private readonly FirmwareImage _image;
    private readonly FirmwareConfiguration _configuration;
    private readonly GuestMemory _rom;

    /// <summary>Maps the ROM; processors start in it, as they are after reset.</summary>
    public FirmwareParts(FirmwareImage image, BootImage? kernel, IPartition partition, MemoryMap map, GuestMemory ram)
    {
        image.RequireValidSize();
        _image = image;
        _configuration = new FirmwareConfiguration(partition.Memory);
        FirmwareItems.AddMachine(_configuration, map, partition.Options.ProcessorCount);
        FirmwareItems.AddFiles(_configuration, image);
        if (kernel is not null)
            FirmwareKernel.Add(_configuration, kernel, map);
        ulong length = (ulong)image.Content.Length;
        _rom = partition.AllocateMemory(length);
        try
        {
            _rom.Write(0, image.Content.Span);
            partition.Memory.Map(RomEnd - length, _rom, 0, length, GuestAccess.ReadExecute);
            Shadow = new ShadowMemory(partition.Memory, ram, _rom);
        }
        catch
        {
            _rom.Dispose();
            throw;
        }
    }

    /// <summary>Who decides between ROM and RAM below 1 MiB.</summary>
    public ShadowMemory Shadow { get; }

    /// <summary>CRC-32C of the image.</summary>
    public uint Checksum => SavedMachineFormat.Checksum(_image.Content.Span);

    public void AddSaveable(SaveableDevices devices) => devices.Add("firmware-configuration", _configuration);

    public void Register(PortBus ports)
    {
        ports.Register(FirmwareConfiguration.Port, FirmwareConfiguration.PortCount, _configuration, "firmware configuration");
        if (_image.DebugConsole is { } output)
            ports.Register(DebugConsolePort.FirmwarePort, 1, new DebugConsolePort(output), "debug console");
    }

    /// <summary>Gives the firmware the machine's ACPI tables, unless a client has given it others; it finds a place for them.</summary>
    /// <param name="platform">Describes the machine as it is now: the firmware moves its power-management registers.</param>
    public void AddTables(Func<AcpiPlatform> platform)
    {
        string[] names = [FirmwareTableFiles.TablesName, FirmwareTableFiles.RootPointerName, FirmwareTableFiles.LoaderName];
        if (_configuration.Files.Intersect(names).Any())
            return;
        (byte[] rootPointer, byte[] loader) = FirmwareTableFiles.Pointers(platform());
        _configuration.AddChangingFile(FirmwareTableFiles.TablesName, () => FirmwareTableFiles.Tables(platform()));
        _configuration.AddFile(FirmwareTableFiles.RootPointerName, rootPointer);
        _configuration.AddFile(FirmwareTableFiles.LoaderName, loader);
    }

    public void Dispose() => _rom.Dispose();
}
