namespace Vmm.Devices.Tests;

/// <summary>A driver of a virtio PCI function: finds its structures by their capabilities.</summary>
internal sealed class PciDriver : TestDriver
{
    private const uint Window = 0xE000_0000;
    private const uint MsixWindow = 0xE001_0000;

    private readonly PortBus _ports = new();
    private readonly MmioBus _mmio = new();
    private readonly Dictionary<int, ulong> _structures = [];
    private readonly bool[] _lines = new bool[4];

    public PciDriver(GuestRam ram, VirtioDevice device, bool hasMessages = false)
        : base(ram)
    {
        Bus = new PciBus(_ports, _mmio);
        Bus.ConnectInterrupts((line, level) => _lines[line] = level);
        Bus.Add(1, 0, new VirtioPciFunction(device, hasMessages ? TakeMessage : null));
        Bus.WriteConfiguration(1, 0, 0x10, 4, Window);
        Bus.WriteConfiguration(1, 0, 0x14, 4, MsixWindow);
        Bus.WriteConfiguration(1, 0, 0x04, 2, 6);
        for (int place = (int)ReadRegister(0x34, 1); place != 0; place = (int)ReadRegister(place + 1, 1))
        {
            if (ReadRegister(place, 1) == 0x11)
            {
                MsixCapability = place;
                continue;
            }
            int type = (int)ReadRegister(place + 3, 1);
            _structures.Add(type, Window + ReadRegister(place + 8, 4));
            if (type == 2)
                NotifyMultiplier = ReadRegister(place + 16, 4);
            if (type == 5)
                AccessCapability = place;
        }
    }

    public PciBus Bus { get; }

    public MmioBus Mmio => _mmio;

    public List<InterruptRequest> Messages { get; } = [];

    public int MsixCapability { get; }

    public int AccessCapability { get; }

    public uint NotifyMultiplier { get; }

    public override byte Status
    {
        get => (byte)_mmio.Read(Common + 0x14, 1);
        set => _mmio.Write(Common + 0x14, 1, value);
    }

    public override bool InterruptPending => _lines[0];

    public ulong Common => _structures[1];

    private void TakeMessage(in InterruptRequest request) => Messages.Add(request);

    public uint ReadRegister(int offset, int size) => Bus.ReadConfiguration(1, 0, offset, size);

    public override ulong ReadFeatures()
    {
        _mmio.Write(Common, 4, 0);
        ulong low = _mmio.Read(Common + 4, 4);
        _mmio.Write(Common, 4, 1);
        return low | _mmio.Read(Common + 4, 4) << 32;
    }

    public override void WriteFeatures(ulong features)
    {
        _mmio.Write(Common + 8, 4, 0);
        _mmio.Write(Common + 0xC, 4, (uint)features);
        _mmio.Write(Common + 8, 4, 1);
        _mmio.Write(Common + 0xC, 4, (uint)(features >> 32));
    }

    public override void SetUpQueue(int queue, int size, ulong descriptors, ulong available, ulong used)
    {
        _mmio.Write(Common + 0x16, 2, (uint)queue);
        _mmio.Write(Common + 0x18, 2, (uint)size);
        _mmio.Write(Common + 0x20, 8, descriptors);
        _mmio.Write(Common + 0x28, 4, (uint)available);
        _mmio.Write(Common + 0x2C, 4, (uint)(available >> 32));
        _mmio.Write(Common + 0x30, 8, used);
    }

    public override void EnableQueue(int queue)
    {
        _mmio.Write(Common + 0x16, 2, (uint)queue);
        _mmio.Write(Common + 0x1C, 2, 1);
    }

    public override void Notify(int queue)
    {
        _mmio.Write(Common + 0x16, 2, (uint)queue);
        ulong offset = _mmio.Read(Common + 0x1E, 2);
        _mmio.Write(_structures[2] + offset * NotifyMultiplier, 2, (uint)queue);
    }

    public override void AcknowledgeInterrupt() => _mmio.Read(_structures[3], 1);

    public override ulong ReadConfiguration(int offset, int size) => _mmio.Read(_structures[4] + (ulong)offset, size);

    public override void WriteConfiguration(int offset, int size, uint value) => _mmio.Write(_structures[4] + (ulong)offset, size, value);

    public void SetVector(int queue, int vector)
    {
        _mmio.Write(Common + 0x16, 2, (uint)queue);
        _mmio.Write(Common + 0x1A, 2, (uint)vector);
    }

    public void SetMessage(int vector, uint address, uint data, bool isMasked)
    {
        ulong entry = MsixWindow + (ulong)vector * 16;
        _mmio.Write(entry, 4, address);
        _mmio.Write(entry + 4, 4, 0);
        _mmio.Write(entry + 8, 4, data);
        _mmio.Write(entry + 12, 4, isMasked ? 1u : 0);
    }

    public ulong PendingMessages() => _mmio.Read(MsixWindow + 0x800, 8);
}
