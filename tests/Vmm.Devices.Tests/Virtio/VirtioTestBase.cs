namespace Vmm.Devices.Tests;

/// <summary>A guest's memory, a clock that stands still, and a disk of 64 KiB.</summary>
public abstract class VirtioTestBase : IDisposable
{
    private protected const int Sectors = 128;

    private readonly List<IDisposable> _owned = [];

    private protected VirtioTestBase()
    {
        Content = new byte[Sectors * 512];
        new Random(1).NextBytes(Content);
        File.WriteAllBytes(DiskPath, Content);
        _owned.Add(Ram);
    }

    private protected GuestRam Ram { get; } = new();

    private protected string DiskPath { get; } = Path.Combine(Path.GetTempPath(), $"vmm-disk-{Guid.NewGuid():N}");

    private protected VirtualClock Clock { get; } = new(DateTimeOffset.UnixEpoch);

    /// <summary>What was on the disk at the start.</summary>
    private protected byte[] Content { get; }

    public static TheoryData<string> Transports => ["pci", "mmio"];

    public void Dispose()
    {
        for (int index = _owned.Count - 1; index >= 0; index--)
            _owned[index].Dispose();
        File.Delete(DiskPath);
        GC.SuppressFinalize(this);
    }

    private protected T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }

    private protected VirtioBlock NewDisk(bool isReadOnly = false) =>
        Own(new VirtioBlock(Ram.Device, Clock, Own(DiskImage.Open(DiskPath, isReadOnly)), "serial-7"));

    private protected TestDriver NewDriver(string transport, VirtioDevice device) =>
        transport == "pci" ? new PciDriver(Ram, device) : new MmioDriver(Ram, device);

    /// <summary>Takes the disk away and gives what is in its file.</summary>
    private protected byte[] TakeContent()
    {
        foreach (DiskImage disk in _owned.OfType<DiskImage>())
            disk.Dispose();
        return File.ReadAllBytes(DiskPath);
    }
}
