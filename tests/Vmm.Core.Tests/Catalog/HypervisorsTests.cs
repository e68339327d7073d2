using Microsoft.Extensions.DependencyInjection;

namespace Vmm.Core.Tests.Catalog;

public sealed class HypervisorsTests
{
    [Fact]
    public void Best_available_runs_a_guest()
    {
        IHypervisor hypervisor = Hypervisors.BestAvailable(out HypervisorReport report);
        report.Chosen.Should().Be(hypervisor.Name);
        DeepProbe.Run(hypervisor).Should().Be(ProbeResult.Available);
    }

    [Fact]
    public void Every_backend_of_the_package_that_is_available_runs_a_guest()
    {
        HypervisorReport report = Hypervisors.Catalog.ProbeDeeply();
        report.Entries.Should().Contain(entry => entry.Name == "emulator");
        report.Entries.Single(entry => entry.Name == "emulator").Result.Should().Be(ProbeResult.Available);
    }

    [Fact]
    public void Create_takes_what_users_write()
    {
        Hypervisors.Create("Emulator").Name.Should().Be("emulator");
        Hypervisors.Create("auto").Should().NotBeNull();
        Action unknown = () => Hypervisors.Create("emulator:speed=11");
        unknown.Should().Throw<ArgumentException>().WithMessage("*no option 'speed'*");
    }

    [Fact]
    public void UseEmulator_gives_a_hypervisor_that_runs_a_guest()
    {
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseEmulator().Configure(options => options.DeepProbe = true)).BuildServiceProvider();
        provider.GetRequiredService<IHypervisor>().Name.Should().Be("emulator");
    }
}
