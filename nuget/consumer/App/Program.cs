// A stranger's program: what this host has, a guest that adds, and a machine that starts in firmware and prints on its serial port.
using System.Text;
using Vmm;
using Vmm.Machines;

Hypervisors.BestAvailable(out HypervisorReport report);
Console.WriteLine(report.Chosen is null ? "nothing to run guests on" : "something to run guests on");

using IPartition partition = Hypervisors.Emulator().CreatePartition(new PartitionOptions());
using GuestMemory memory = partition.AllocateMemory(0x1000);
partition.Memory.Map(0x1000, memory);
memory.Write(0,
[
    0x31, 0xC0, 0xB9, 0x64, 0x00, // xor ax, ax; mov cx, 100
    0x01, 0xC8, 0xE2, 0xFC,       // again: add ax, cx; loop again
    0xE7, 0xE9, 0xF4,             // out 0xE9, ax; hlt
]);
IVirtualProcessor processor = partition.Processors[0];
processor.StartInRealMode(0x1000);
for (VpExit exit = processor.Run(); exit.Kind != ExitKind.Halt; exit = processor.Run())
    Console.WriteLine($"the guest says {exit.PortIo.Value}");

byte[] rom = new byte[0x1_0000];
List<byte> code = [0xBA, 0xF8, 0x03];                                // mov dx, 0x3F8
foreach (char letter in "hello from a machine\n")
    code.AddRange([0xB0, (byte)letter, 0xEE]);                       // mov al, letter; out dx, al
code.AddRange([0xBA, 0xF9, 0x0C, 0xB0, 0x06, 0xEE, 0xF4]);           // mov dx, 0xCF9; mov al, 6; out dx, al: reset
code.CopyTo(rom);
new byte[] { 0xEA, 0x00, 0x00, 0x00, 0xF0 }.CopyTo(rom, 0xFFF0);     // jmp 0xF000:0
using Machine machine = new(Hypervisors.Emulator(), new MachineOptions
{
    Firmware = new FirmwareImage(rom),
    SerialOutput = bytes => Console.Write(Encoding.ASCII.GetString(bytes)),
});
Console.WriteLine($"the machine ended: {machine.Run()}");
