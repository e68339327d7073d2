// A device of one's own: a multiplier behind memory-mapped I/O, reached through the run loop and its buses.
using Vmm;

const ulong DeviceBase = 0xD000_0000;

IHypervisor hypervisor = Hypervisors.BestAvailable();
using IPartition partition = hypervisor.CreatePartition(new PartitionOptions());
using GuestMemory memory = partition.AllocateMemory(0x1000);
partition.Memory.Map(0x1000, memory);

// 32-bit code: store 6 and 7 to the device's operands, read the product, halt.
memory.Write(0,
[
    0xC7, 0x05, 0x00, 0x00, 0x00, 0xD0, 6, 0, 0, 0, // mov dword [0xD0000000], 6
    0xC7, 0x05, 0x04, 0x00, 0x00, 0xD0, 7, 0, 0, 0, // mov dword [0xD0000004], 7
    0xA1, 0x08, 0x00, 0x00, 0xD0, // mov eax, [0xD0000008]
    0xF4, // hlt
]);

PortBus ports = new();
MmioBus mmio = new();
Multiplier device = new();
using IDisposable registration = mmio.Register(DeviceBase, 0x1000, device);

IVirtualProcessor processor = partition.Processors[0];
processor.StartInProtectedMode(0x1000);
VpExit exit = new VirtualProcessorLoop(processor, ports, mmio).Run();
Console.WriteLine($"{exit.Kind}: the guest read {processor[Register.Rax]} after {device.Accesses} device accesses");
return exit.Kind == ExitKind.Halt && processor[Register.Rax] == 42 ? 0 : 1;

/// <summary>Two operand registers at offsets 0 and 4; their product at offset 8.</summary>
internal sealed class Multiplier : IMmioDevice
{
    private uint _left, _right;

    public int Accesses { get; private set; }

    public ulong Read(ulong offset, int size)
    {
        Accesses++;
        return offset switch { 0 => _left, 4 => _right, 8 => (ulong)_left * _right, _ => ulong.MaxValue };
    }

    public void Write(ulong offset, int size, ulong value)
    {
        Accesses++;
        if (offset == 0)
            _left = (uint)value;
        else if (offset == 4)
            _right = (uint)value;
    }
}
