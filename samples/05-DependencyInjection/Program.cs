// Backends from a container: registered in order of preference, with the host's logging.
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Vmm;

ServiceCollection services = new();
services.AddLogging(logging => logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Debug));
services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace); // the log goes to standard error
services.AddVmm(vmm => vmm.UseEmulator());

await using ServiceProvider provider = services.BuildServiceProvider();
IHypervisor hypervisor = provider.GetRequiredService<IHypervisor>();
using IPartition partition = hypervisor.CreatePartition(new PartitionOptions());
using GuestMemory memory = partition.AllocateMemory(0x1000);
partition.Memory.Map(0x1000, memory);
memory.Write(0, [0xF4]); // hlt

IVirtualProcessor processor = partition.Processors[0];
processor.StartInRealMode(0x1000);
Console.WriteLine($"{hypervisor.Name}: {processor.Run().Kind}");
