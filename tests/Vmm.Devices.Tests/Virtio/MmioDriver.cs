namespace Vmm.Devices.Tests;

/// <summary>A driver of a memory-mapped virtio device.</summary>
internal sealed class MmioDriver : TestDriver
{
    private readonly VirtioMmioTransport _transport;
    private readonly TestLine _line = new();

    public MmioDriver(GuestRam ram, VirtioDevice device)
        : base(ram) => _transport = new VirtioMmioTransport(device, _line);

    public override byte Status
    {
        get => (byte)Read(0x70);
        set => Write(0x70, value);
    }

    public override bool InterruptPending => _line.Level;

    public uint Read(int register) => (uint)_transport.Read((ulong)register, 4);

    public void Write(int register, uint value) => _transport.Write((ulong)register, 4, value);

    public override ulong ReadFeatures()
    {
        Write(0x14, 0);
        ulong low = Read(0x10);
        Write(0x14, 1);
        return low | (ulong)Read(0x10) << 32;
    }

    public override void WriteFeatures(ulong features)
    {
        Write(0x24, 0);
        Write(0x20, (uint)features);
        Write(0x24, 1);
        Write(0x20, (uint)(features >> 32));
    }

    public override void SetUpQueue(int queue, int size, ulong descriptors, ulong available, ulong used)
    {
        Write(0x30, (uint)queue);
        Write(0x38, (uint)size);
        Write(0x80, (uint)descriptors);
        Write(0x84, (uint)(descriptors >> 32));
        Write(0x90, (uint)available);
        Write(0x94, (uint)(available >> 32));
        Write(0xA0, (uint)used);
        Write(0xA4, (uint)(used >> 32));
    }

    public override void EnableQueue(int queue)
    {
        Write(0x30, (uint)queue);
        Write(0x44, 1);
    }

    public override void Notify(int queue) => Write(0x50, (uint)queue);

    public override void AcknowledgeInterrupt() => Write(0x64, Read(0x60));

    public override ulong ReadConfiguration(int offset, int size) => _transport.Read((ulong)(0x100 + offset), size);

    public override void WriteConfiguration(int offset, int size, uint value) => _transport.Write((ulong)(0x100 + offset), size, value);
}
