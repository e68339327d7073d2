namespace Vmm.Core.Tests.Catalog;

public sealed class HypervisorCatalogTests
{
    private static readonly ProbeResult Absent = ProbeResult.Unavailable("there is no /dev/kvm", "load the kvm module");

    [Fact]
    public void CreateBest_skips_the_unavailable_and_keeps_each_reason()
    {
        FakeProvider last = new("later", ProbeResult.Available);
        HypervisorCatalog catalog = new HypervisorCatalog()
            .Add(new FakeProvider("kvm", Absent)).Add(new FakeProvider("whp")).Add(new FakeProvider("emulator", ProbeResult.Available)).Add(last);
        catalog.CreateBest(out HypervisorReport report).Should().NotBeNull();
        report.Chosen.Should().Be("emulator");
        last.Probes.Should().Be(0);
        report.ToString().Should().Be(
            "  kvm       The kvm backend: unavailable: there is no /dev/kvm. Fix: load the kvm module\n"
            + "  whp       The whp backend: unavailable: its probe failed: no such library\n"
            + "* emulator  The emulator backend (chosen)");
    }

    [Fact]
    public void CreateBest_goes_on_when_an_available_backend_cannot_be_made()
    {
        FakeProvider liar = new("kvm", ProbeResult.Available, _ => throw new HypervisorUnavailableException("kvm", "the module went away", "load it again"));
        FakeProvider refused = new("whp", ProbeResult.Available, _ => throw new HypervisorException("whp", "WHvCreatePartition", 5, null, "Ask an administrator."));
        HypervisorCatalog catalog = new HypervisorCatalog().Add(liar).Add(refused).Add(new FakeProvider("emulator", ProbeResult.Available));
        catalog.CreateBest(out HypervisorReport report);
        report.Chosen.Should().Be("emulator");
        report.Entries[0].Result.Reason.Should().Be("the module went away");
        report.Entries[1].Result.Reason.Should().Contain("WHvCreatePartition");
        report.Entries[1].Result.Fix.Should().Be("Ask an administrator");
    }

    [Fact]
    public void CreateBest_with_nothing_available_throws_all_reasons()
    {
        HypervisorCatalog catalog = new HypervisorCatalog().Add(new FakeProvider("kvm", Absent)).Add(new FakeProvider("whp"));
        Action act = () => catalog.CreateBest(out _);
        act.Should().Throw<HypervisorUnavailableException>().WithMessage("*there is no /dev/kvm*load the kvm module*no such library*");
        Action empty = () => new HypervisorCatalog().CreateBest(out _);
        empty.Should().Throw<HypervisorUnavailableException>().WithMessage("*catalogue is empty*");
    }

    [Fact]
    public void Create_by_name_explains_what_is_missing()
    {
        HypervisorCatalog catalog = new HypervisorCatalog().Add(new FakeProvider("kvm", Absent)).Add(new FakeProvider("emulator", ProbeResult.Available));
        Action act = () => catalog.Create("KVM");
        HypervisorUnavailableException thrown = act.Should().Throw<HypervisorUnavailableException>().Which;
        thrown.Reason.Should().Be("there is no /dev/kvm");
        thrown.Fix.Should().Be("load the kvm module");
        thrown.Message.Should().Be("The kvm backend is unavailable: there is no /dev/kvm. Fix: load the kvm module.");
    }

    [Fact]
    public void Create_by_an_unknown_name_lists_the_known()
    {
        HypervisorCatalog catalog = new HypervisorCatalog().Add(new FakeProvider("kvm", Absent)).Add(new FakeProvider("emulator", ProbeResult.Available));
        Action act = () => catalog.Create("xen");
        act.Should().Throw<UnknownHypervisorException>().WithMessage("There is no backend 'xen'; there are kvm, emulator.*").Which.Known.Should().Equal("kvm", "emulator");
    }

    [Fact]
    public void Create_hands_options_on_and_refuses_unknown_keys_listing_the_known()
    {
        FakeProvider provider = new("emulator", ProbeResult.Available) { OptionKeys = ["tier", "slat"] };
        HypervisorCatalog catalog = new HypervisorCatalog().Add(provider);
        catalog.Create(HypervisorSelection.Parse("emulator:tier=0"), out HypervisorReport? report).Should().NotBeNull();
        report.Should().BeNull();
        provider.Options!.Values.Should().ContainSingle().Which.Should().Be(new KeyValuePair<string, string>("tier", "0"));
        Action act = () => catalog.Create("emulator", HypervisorOptions.Parse("teir=0"));
        act.Should().Throw<ArgumentException>().WithMessage("The emulator backend has no option 'teir'; it has tier, slat.*");
        Action none = () => new HypervisorCatalog().Add(new FakeProvider("kvm", Absent)).Create("kvm", HypervisorOptions.Parse("a=b"));
        none.Should().Throw<ArgumentException>().WithMessage("*'a'; it has none*");
    }

    [Fact]
    public void Create_of_auto_reports_the_choice()
    {
        HypervisorCatalog catalog = new HypervisorCatalog().Add(new FakeProvider("emulator", ProbeResult.Available));
        catalog.Create(HypervisorSelection.Parse("auto"), out HypervisorReport? report);
        report!.Chosen.Should().Be("emulator");
    }

    [Fact]
    public void Add_refuses_a_name_that_is_taken_or_reserved()
    {
        HypervisorCatalog catalog = new HypervisorCatalog().Add(new FakeProvider("kvm", Absent));
        catalog.Invoking(c => c.Add(new FakeProvider("KVM", Absent))).Should().Throw<ArgumentException>().WithMessage("*taken by The kvm backend*");
        catalog.Invoking(c => c.Add(new FakeProvider("auto", Absent))).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void ProbeAll_probes_every_backend_and_chooses_none()
    {
        HypervisorReport report = new HypervisorCatalog()
            .Add(new FakeProvider("emulator", ProbeResult.Available)).Add(new FakeProvider("kvm", Absent)).ProbeAll();
        report.Entries.Select(entry => entry.Result.IsAvailable).Should().Equal(true, false);
        report.Chosen.Should().BeNull();
    }

    [Theory]
    [InlineData("kvm", "kvm", "kvm")]
    [InlineData(" KVM ", "kvm", "kvm")]
    [InlineData("emulator:tier=1, slat = ept", "emulator", "emulator:slat=ept,tier=1")]
    [InlineData("emulator:path=a=b", "emulator", "emulator:path=a=b")]
    [InlineData("emulator:", "emulator", "emulator")]
    public void Selection_is_read_as_written(string text, string name, string printed)
    {
        HypervisorSelection selection = HypervisorSelection.Parse(text);
        selection.Name.Should().Be(name);
        selection.ToString().Should().Be(printed);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":a=b")]
    [InlineData("kvm:a")]
    [InlineData("kvm:=1")]
    [InlineData("kvm:a=1,A=2")]
    [InlineData("kvm:a=1,")]
    [InlineData("auto:a=1")]
    public void Selection_that_is_malformed_is_refused(string text)
    {
        Action act = () => HypervisorSelection.Parse(text);
        act.Should().Throw<ArgumentException>();
    }
}
