using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Vmm.Testing;

namespace Vmm.Hosting.Tests;

public sealed class HealthTests : HostTest
{
    [Fact]
    public async Task Backend_that_runs_a_guest_is_healthy_and_machines_are_listed()
    {
        Write("guest", TestGuest.Spin);
        using IHost host = Build(
            """{ "Vmm": { "Machines": { "m": { "Flat": "guest@0x1000", "Memory": "1M" } } } }""", services: services => services.AddHealthChecks().AddVmm());
        await host.StartAsync();

        HealthReportEntry entry = await CheckAsync(host, "vmm");

        entry.Status.Should().Be(HealthStatus.Healthy);
        entry.Description.Should().Be("The emulator backend ran a guest to its HLT.");
        entry.Data["backend"].Should().Be("emulator");
        entry.Data["machine m"].Should().Be("Running");
        ((double)entry.Data["milliseconds"]).Should().BePositive();
        // The guest ran in a partition beside the machine's.
        Logs.Lines.Count(line => line.StartsWith("1001 ")).Should().Be(2);
        await host.StopAsync();
    }

    [Fact]
    public async Task Backend_that_only_pretends_is_unhealthy_with_what_came_instead()
    {
        ScriptedHypervisor broken = new(name: "shell") { Script = [ScriptedStep.Shutdown] };
        using IHost host = Build("{}", services: services =>
        {
            services.AddVmm("broken", vmm => vmm.UseProvider(new FixedProvider(broken)));
            services.AddHealthChecks().AddVmm("broken", failureStatus: HealthStatus.Degraded);
        });

        HealthReportEntry entry = await CheckAsync(host, "vmm-broken");

        entry.Status.Should().Be(HealthStatus.Degraded);
        entry.Description.Should().Match("The shell backend is unavailable: a guest of three instructions ended with *Shutdown* instead of HLT.");
    }

    [Fact]
    public async Task No_backend_is_unhealthy_with_the_reason()
    {
        using IHost host = Build("{}", services: services =>
        {
            services.AddVmm("none", vmm => vmm.Configure(options => options.Backend = "auto"));
            services.AddHealthChecks().AddVmm("none", name: "other");
        });

        HealthReportEntry entry = await CheckAsync(host, "other");

        entry.Status.Should().Be(HealthStatus.Unhealthy);
        entry.Description.Should().Contain("the catalogue is empty");
        entry.Exception.Should().BeOfType<HypervisorUnavailableException>();
    }

    [Fact]
    public async Task Machine_that_failed_is_unhealthy_and_others_go_on()
    {
        Write("bad", TestGuest.TripleFault);
        Write("good", TestGuest.Spin);
        using IHost host = Build(
            """{ "Vmm": { "Machines": { "bad": { "Flat": "bad@0x1000", "Memory": "1M" }, "good": { "Flat": "good@0x1000", "Memory": "1M" } } } }""",
            services: services => services.AddHealthChecks().AddVmm());
        await host.StartAsync();
        await host.Services.GetRequiredService<IMachineHost>()["bad"].Completion.WaitAsync(Patience);

        HealthReportEntry entry = await CheckAsync(host, "vmm");

        entry.Status.Should().Be(HealthStatus.Unhealthy);
        entry.Description.Should().Be("The machine bad has failed: triple fault on processor 0.");
        entry.Data["machine bad"].Should().Be("Failed");
        entry.Data["machine good"].Should().Be("Running");
        await host.StopAsync();
    }

    private static async Task<HealthReportEntry> CheckAsync(IHost host, string name)
    {
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync().WaitAsync(Patience);
        return report.Entries[name];
    }

    private sealed class FixedProvider(IHypervisor hypervisor) : IHypervisorProvider
    {
        public string Name => hypervisor.Name;

        public string DisplayName => hypervisor.Name;

        public IReadOnlyCollection<string> OptionKeys => [];

        public ProbeResult Probe() => ProbeResult.Available;

        public IHypervisor Create(HypervisorOptions options) => hypervisor;
    }
}
