using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vmm.Core.Tests.Catalog;
using Vmm.Testing;

namespace Vmm.Core.Tests.DependencyInjection;

public sealed class AddVmmTests
{
    private static readonly ProbeResult Absent = ProbeResult.Unavailable("there is no /dev/kvm", "load the kvm module");

    [Fact]
    public void Hypervisor_is_the_first_available_and_the_log_says_what_was_skipped()
    {
        ListLogger log = new();
        ServiceCollection services = new();
        services.AddSingleton<ILoggerFactory>(log);
        services.AddVmm(vmm => vmm.UseProvider(new FakeProvider("kvm", Absent)).UseProvider(new FakeProvider("scripted", ProbeResult.Available)));
        using ServiceProvider provider = services.BuildServiceProvider();
        IHypervisor hypervisor = provider.GetRequiredService<IHypervisor>();
        hypervisor.Name.Should().Be("scripted");
        provider.GetRequiredService<IHypervisor>().Should().BeSameAs(hypervisor);
        log.Lines.Should().Equal(
            "1021 Information Skipped the kvm backend, unavailable: there is no /dev/kvm. Fix: load the kvm module",
            "1020 Information Using the scripted backend");
    }

    [Fact]
    public void Option_names_the_backend_and_its_options()
    {
        FakeProvider second = new("second", ProbeResult.Available) { OptionKeys = ["tier"] };
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(new FakeProvider("first", ProbeResult.Available)).UseProvider(second).Configure(o => o.Backend = "second:tier=0"))
            .BuildServiceProvider();
        provider.GetRequiredService<IHypervisor>().Should().NotBeNull();
        second.Options!.Values["tier"].Should().Be("0");
    }

    [Theory]
    [InlineData("xen", "VmmOptions.Backend: There is no backend 'xen'; there are kvm.")]
    [InlineData("kvm:tire=0", "VmmOptions.Backend: The kvm backend has no option 'tire'; it has tier.")]
    [InlineData("kvm:tier", "VmmOptions.Backend: 'tier' is no option: write key=value.")]
    [InlineData("", "VmmOptions.Backend: The choice of a backend has no name: write name or name:key=value,...")]
    [InlineData(null, "VmmOptions.Backend is null: write auto, a name, or name:key=value,...")]
    public void Wrong_option_is_refused_by_validation_with_what_there_is(string? backend, string message)
    {
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(new FakeProvider("kvm", ProbeResult.Available) { OptionKeys = ["tier"] }).Configure(o => o.Backend = backend!))
            .BuildServiceProvider();
        Action act = () => provider.GetRequiredService<IHypervisor>();
        act.Should().Throw<OptionsValidationException>().WithMessage(message);
        // What a host runs at its start.
        Action start = () => provider.GetRequiredService<IStartupValidator>().Validate();
        start.Should().Throw<OptionsValidationException>().WithMessage(message);
    }

    [Fact]
    public void Unavailable_backend_asked_for_by_name_explains()
    {
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(new FakeProvider("kvm", Absent)).Configure(o => o.Backend = "kvm")).BuildServiceProvider();
        Action act = () => provider.GetRequiredService<IHypervisor>();
        act.Should().Throw<HypervisorUnavailableException>().Which.Fix.Should().Be("load the kvm module");
    }

    [Fact]
    public void Deep_probe_passes_over_a_backend_that_does_not_really_run()
    {
        FakeProvider shell = new("shell", ProbeResult.Available, _ => new ScriptedHypervisor { Script = [ScriptedStep.Shutdown] });
        ScriptedHypervisor real = new() { Script = [ScriptedStep.Halt.With(Register.Rax, 0x579).With(Register.Rip, 0x1007)] };
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(shell).UseProvider(new FakeProvider("real", ProbeResult.Available, _ => real)).Configure(o => o.DeepProbe = true))
            .BuildServiceProvider();
        provider.GetRequiredService<IHypervisor>().Should().BeSameAs(real);

        using ServiceProvider byName = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(shell).Configure(o => (o.Backend, o.DeepProbe) = ("shell", true))).BuildServiceProvider();
        Action act = () => byName.GetRequiredService<IHypervisor>();
        act.Should().Throw<HypervisorUnavailableException>().WithMessage("*Shutdown*");
    }

    [Fact]
    public void Keyed_registrations_are_apart()
    {
        ScriptedHypervisor one = new();
        ScriptedHypervisor two = new();
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(new FakeProvider("one", ProbeResult.Available, _ => one)))
            .AddVmm("tests", vmm => vmm.UseProvider(new FakeProvider("two", ProbeResult.Available, _ => two)))
            .AddVmm("wrong", vmm => vmm.UseProvider(new FakeProvider("three", ProbeResult.Available)).Configure(o => o.Backend = "one"))
            .BuildServiceProvider();
        provider.GetRequiredService<IHypervisor>().Should().BeSameAs(one);
        provider.GetRequiredKeyedService<IHypervisor>("tests").Should().BeSameAs(two);
        provider.GetRequiredKeyedService<HypervisorCatalog>("tests").Providers.Select(p => p.Name).Should().Equal("two");
        Action act = () => provider.GetRequiredKeyedService<IHypervisor>("wrong");
        act.Should().Throw<OptionsValidationException>().WithMessage("*'one'; there are three*");
    }

    [Fact]
    public void Adding_twice_adds_up_and_the_same_backend_twice_is_one()
    {
        using ServiceProvider provider = new ServiceCollection()
            .AddVmm(vmm => vmm.UseProvider(new FakeProvider("one", Absent)))
            .AddVmm(vmm => vmm.UseProvider(new FakeProvider("one", Absent)).UseProvider(_ => new FakeProvider("two", ProbeResult.Available)))
            .BuildServiceProvider();
        provider.GetRequiredService<HypervisorCatalog>().Providers.Select(p => p.Name).Should().Equal("one", "two");
        provider.GetServices<HypervisorCatalog>().Should().ContainSingle();
    }

    [Fact]
    public void Factory_sees_the_services()
    {
        ListLogger log = new();
        ServiceCollection services = new();
        services.AddSingleton<ILoggerFactory>(log);
        services.AddVmm(vmm => vmm.UseProvider(s => new FakeProvider("scripted", ProbeResult.Available, _ => new ScriptedHypervisor(s.GetService<ILoggerFactory>()))));
        using ServiceProvider provider = services.BuildServiceProvider();
        provider.GetRequiredService<IHypervisor>().CreatePartition(new()).Dispose();
        log.Lines.Should().Contain(line => line.Contains("partition created", StringComparison.Ordinal));
    }
}
