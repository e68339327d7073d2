// A backend of one's own, in front of another: it tells of every exit. Catalogues find it by name, any program runs on it unchanged, and
// the conformance kit says whether it kept its promises.
using CustomBackend;
using Vmm;
using Vmm.Conformance;

Hypervisors.Catalog.Add(new TracingProvider(line => Console.WriteLine($"  {line}")));

IHypervisor hypervisor = Hypervisors.Create("tracing:behind=emulator");
using IPartition partition = hypervisor.CreatePartition(new PartitionOptions());
using GuestMemory memory = partition.AllocateMemory(0x1000);
partition.Memory.Map(0x1000, memory);
memory.Write(0, [0xE4, 0x60, 0x04, 0x02, 0xE6, 0x80, 0xF4]); // in al, 0x60; add al, 2; out 0x80, al; hlt

IVirtualProcessor processor = partition.Processors[0];
processor.StartInRealMode(0x1000);
PortBus ports = new();
using IDisposable registration = ports.Register(0x60, 1, new Keyboard());
Console.WriteLine("a guest behind the tracer:");
new VirtualProcessorLoop(processor, ports, new MmioBus()).Run();

ConformanceReport report = ConformanceRunner.Run(new TracingHypervisor(Hypervisors.Emulator(), _ => { }), new ConformanceOptions { Filter = "completion." });
Console.WriteLine($"the kit on it: {report.Summary}");
return report.Failures.Any() ? 1 : 0;

internal sealed class Keyboard : IPortDevice
{
    public uint Read(ushort port, int size) => 40;

    public void Write(ushort port, int size, uint value)
    {
    }
}
