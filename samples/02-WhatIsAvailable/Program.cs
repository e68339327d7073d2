// Which backends this host has, what each can do, and why the others are missing.
using Vmm;

foreach (IHypervisorProvider provider in Hypervisors.Catalog.Providers)
{
    ProbeResult probe = provider.Probe();
    if (!probe.IsAvailable)
    {
        Console.WriteLine($"{provider.Name}: not available: {probe.Reason} {probe.Fix}");
        continue;
    }
    HypervisorCapabilities capabilities = provider.Create(HypervisorOptions.Empty).Capabilities;
    Console.WriteLine($"{provider.Name}: available");
    Console.WriteLine($"  processors per partition: up to {capabilities.MaximumProcessors}");
    Console.WriteLine($"  guest-physical address bits: {capabilities.PhysicalAddressBits}");
    Console.WriteLine($"  nested page tables: {string.Join(", ", capabilities.SlatFormats)}");
    Console.WriteLine($"  CPU profiles: {string.Join(", ", capabilities.CpuProfiles)}");
    foreach (Capability capability in capabilities.Declared.OrderBy(c => c.Name, StringComparer.Ordinal))
        Console.WriteLine($"  {capability.Name}: {capability.Description}");
    foreach (Quirk quirk in capabilities.Quirks)
        Console.WriteLine($"  quirk {quirk.Name}: {quirk.Description}");
}
