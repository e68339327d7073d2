namespace Vmm.Devices.Tests;

/// <summary>A function with one window of each kind and two capabilities.</summary>
internal sealed class TestFunction : PciFunction
{
    public TestFunction()
        : base(new PciIdentity(0x1234, 0x5678, 0x02_0000)
        {
            Revision = 7,
            SubsystemVendorId = 0xAAAA,
            SubsystemId = 0xBBBB,
            InterruptPin = 1,
        })
    {
        AddBar(new PciBar(0, PciBarKind.Io, 32, PortWindow));
        AddBar(new PciBar(1, PciBarKind.Memory32, 0x4000, MemoryWindow));
        AddBar(new PciBar(2, PciBarKind.Memory64, 0x10_0000, MemoryWindow));
        FirstCapability = AddCapability(0x09, [0x05, 1, 2]);
        SecondCapability = AddCapability(0x09, [0x04, 3]);
    }

    public Cells PortWindow { get; } = new();

    public Cells MemoryWindow { get; } = new();

    public int FirstCapability { get; }

    public int SecondCapability { get; }

    public sealed class Cells : IMmioDevice
    {
        public List<(ulong Offset, int Size, ulong Value)> Writes { get; } = [];

        public ulong Read(ulong offset, int size) => 0x1122_3344_5566_7700 + offset;

        public void Write(ulong offset, int size, ulong value) => Writes.Add((offset, size, value));
    }
}
