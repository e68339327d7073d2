using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>A machine's virtio devices, each on its transport.</summary>
internal sealed class VirtioDevices : IDisposable
{
    // Between the I/O APIC's page and the local APICs', where no firmware places PCI windows.
    private const uint FirstWindow = 0xFEC4_0000;

    private readonly List<VirtioDevice> _devices = [];
    private readonly List<VirtioMmioWindow> _windows = [];
    private readonly List<KeyValuePair<string, ISaveableDevice>> _saveable = [];

    /// <summary>Makes the devices and puts them on the machine's buses.</summary>
    public VirtioDevices(VirtioOptions options, DeviceMemory memory, IMachineClock clock)
    {
        for (int disk = 0; disk < options.Disks.Count; disk++)
            Add($"virtio-block-{disk}", new VirtioBlock(memory, clock, options.Disks[disk], $"vmm-disk-{disk}"));
        if (options.HasEntropy)
            Add("virtio-entropy", new VirtioEntropy(memory, clock, options.Entropy));
        if (options.ConsoleOutput is { } output)
            Add("virtio-console", Console = new VirtioConsole(memory, clock, output));
        if (options.Network is { } link)
            Add("virtio-network", Network = new VirtioNetwork(memory, clock, link, options.NetworkAddress.Span));
    }

    /// <summary>The console, or null.</summary>
    public VirtioConsole? Console { get; }

    /// <summary>The network card, or null.</summary>
    public VirtioNetwork? Network { get; }

    /// <summary>Whether something outside may send to the guest.</summary>
    public bool HasInput => Console is not null || Network is not null;

    /// <summary>The memory-mapped ones, in the order in which the guest finds them.</summary>
    public IReadOnlyList<VirtioMmioWindow> Windows => _windows;

    /// <summary>What of them is saved, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, ISaveableDevice>> Saveable => _saveable;

    /// <summary>Makes them PCI functions.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="messages">Sends interrupt messages to the local APICs, or null.</param>
    public void PlaceOn(PciBus bus, InterruptMessage? messages)
    {
        foreach (VirtioDevice device in _devices)
            bus.AddNext(new VirtioPciFunction(device, messages));
    }

    /// <summary>Makes them memory-mapped devices.</summary>
    /// <param name="mmio">The bus.</param>
    /// <param name="interrupts">Where their lines go: I/O APIC inputs 20 to 23, or, without one, requests 10 and 11.</param>
    public void PlaceOn(MmioBus mmio, InterruptRouter interrupts)
    {
        (int firstLine, int lines) = interrupts.LineCount > InterruptRouter.IsaLineCount ? (20, 4) : (10, 2);
        for (int index = 0; index < _devices.Count; index++)
        {
            uint address = FirstWindow + (uint)index * VirtioMmioTransport.Length;
            int line = firstLine + index % lines;
            VirtioMmioTransport transport = new(_devices[index], interrupts.Connect(line));
            mmio.Register(address, VirtioMmioTransport.Length, transport, $"virtio device {index}");
            _windows.Add(new VirtioMmioWindow(address, VirtioMmioTransport.Length, line));
            _saveable.Add(new($"virtio-mmio-{index}", transport));
        }
    }

    public void Dispose()
    {
        foreach (VirtioDevice device in _devices)
            device.Dispose();
    }

    private void Add(string name, VirtioDevice device)
    {
        _devices.Add(device);
        _saveable.Add(new(name, device));
    }
}
