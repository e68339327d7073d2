// 64-bit code with four-level paging, set up from outside: the program writes the page tables, the guest computes.
using System.Buffers.Binary;
using Vmm;

const ulong Code = 0x1000, Pml4 = 0x2000, Pdpt = 0x3000, Directory = 0x4000;

IHypervisor hypervisor = Hypervisors.BestAvailable();
using IPartition partition = hypervisor.CreatePartition(new PartitionOptions());
using GuestMemory memory = partition.AllocateMemory(0x20_0000);
partition.Memory.Map(0, memory);

// One 2 MiB page, identity-mapped: PML4 -> PDPT -> page directory (present, writable; bit 7 = large).
Entry(Pml4, Pdpt | 3);
Entry(Pdpt, Directory | 3);
Entry(Directory, 0x83);

// mov rax, 1; mov rcx, 20; top: imul rax, rcx; loop top; hlt   (20 factorial needs 62 bits)
memory.Write(Code, [0x48, 0xC7, 0xC0, 1, 0, 0, 0, 0x48, 0xC7, 0xC1, 20, 0, 0, 0, 0x48, 0x0F, 0xAF, 0xC1, 0xE2, 0xFA, 0xF4]);

IVirtualProcessor processor = partition.Processors[0];
processor.StartInLongMode(Code, Pml4);

VpExit exit = processor.Run();
Console.WriteLine($"{exit.Kind}: 20! = {processor[Register.Rax]}");
Console.WriteLine($"nested tables: {partition.Memory.Format}, {partition.Memory.Statistics.Walks} walks");
return exit.Kind == ExitKind.Halt ? 0 : 1;

void Entry(ulong address, ulong value)
{
    Span<byte> bytes = stackalloc byte[8];
    BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
    memory.Write(address, bytes);
}
