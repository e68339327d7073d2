using Vmm;
using Vmm.Conformance;

IHypervisor hypervisor = Hypervisors.Emulator();
TextWriter output = Console.Out;
/* here */
