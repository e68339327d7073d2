// A host that owns a machine: described in appsettings.json, checked at the start, healthy while it runs, shut down by its power button.
//   HostedMachine          starts, asks for the health, stops
//   HostedMachine --stay   runs until Ctrl-C
using HostedMachine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Vmm;

File.WriteAllBytes(Path.Combine(AppContext.BaseDirectory, "guest.bin"), ObedientGuest.Code);

HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddVmm(vmm => vmm
    .UseKvm()
    .UseWindowsHypervisor()
    .UseEmulator()
    .BindConfiguration(builder.Configuration.GetSection("Vmm")));
builder.Services.AddHealthChecks().AddVmm();

using IHost host = builder.Build();
if (args is ["--stay"])
{
    await host.RunAsync();
    return;
}

await host.StartAsync();
Vmm.HostedMachine machine = host.Services.GetRequiredService<IMachineHost>()["obedient"];
Console.WriteLine($"{machine.Name}: {machine.State}");
while (machine.Machine is { PowerManagement.IsPowerButtonEnabled: false })
    await Task.Delay(10); // until the guest listens

HealthReport health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
foreach ((string name, HealthReportEntry entry) in health.Entries)
    Console.WriteLine($"{name}: {entry.Status}: {entry.Description}");

await host.StopAsync();
Console.WriteLine($"{machine.Name}: {machine.State}, {machine.Outcome}");
