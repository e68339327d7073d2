using Vmm;
using Vmm.Emulator;
using Vmm.Tool;
using Vmm.WindowsHypervisor.Simulator;
using Vmm.WindowsHypervisor.Wine;

// The command 'vmm' as it is, on a Windows whose WinHvPlatform.dll leads to the simulated platform.
if (!OperatingSystem.IsWindows())
{
    Console.Error.WriteLine("This program is for Wine: see the file 'run' beside it.");
    return 2;
}
Trampoline.Connect();
using IDisposable platform = SimulatedPlatform.MakeDefault(new EmulatorHypervisor(), new SimulatorOptions());
Hypervisors.Catalog.Add(new WatchingProvider());
return Vmm.Tool.Program.Invoke(args, StandardStreams.Process);
