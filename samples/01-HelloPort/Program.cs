// A whole virtual machine: one page of memory, five bytes of guest code at a time, no privilege, any operating system.
using Vmm;

IHypervisor hypervisor = Hypervisors.Emulator();
using IPartition partition = hypervisor.CreatePartition(new PartitionOptions());
using GuestMemory memory = partition.AllocateMemory(0x1000);
partition.Memory.Map(0x1000, memory);

// Real mode: for each character `mov al, character; out 0xE9, al`, then `hlt`.
List<byte> code = [];
foreach (char character in "Hello from a guest!\n")
    code.AddRange([0xB0, (byte)character, 0xE6, 0xE9]);
code.Add(0xF4);
memory.Write(0, code.ToArray());

IVirtualProcessor processor = partition.Processors[0];
processor.StartInRealMode(0x1000);
for (VpExit exit = processor.Run(); exit.Kind != ExitKind.Halt; exit = processor.Run())
{
    if (exit.Kind != ExitKind.PortIo || exit.PortIo.Port != 0xE9)
        throw new InvalidOperationException($"Unexpected exit: {exit}");
    Console.Write((char)exit.PortIo.Value);
}
