namespace Vmm.Kvm.Tests.Availability;

public sealed class AvailabilityTests
{
    [SkippableFact]
    public void Missing_device_is_told_with_what_to_do()
    {
        RequireLinux();
        HypervisorUnavailableException error = Refusal("/dev/no-such-device");
        error.Reason.Should().Be("there is no /dev/no-such-device");
        error.Fix.Should().Contain("kvm_intel or kvm_amd");
        error.Message.Split('\n').Should().ContainSingle();
    }

    [SkippableFact]
    public void Other_device_is_no_Kvm()
    {
        RequireLinux();
        Refusal("/dev/null").Reason.Should().Be("/dev/null is not KVM's device");
    }

    [SkippableFact]
    public void Forbidden_device_is_told_with_what_to_do()
    {
        RequireLinux();
        string path = Path.GetTempFileName();
        try
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.None);
            Skip.If(CanOpen(path), "This user may open everything: run the tests as another one.");
            HypervisorUnavailableException error = Refusal(path);
            error.Reason.Should().Be($"this user may not open {path}");
            error.Fix.Should().Contain("usermod -aG kvm");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Automatic_choice_goes_on_where_Kvm_is_not_wanted()
    {
        HypervisorCatalog catalog = new HypervisorCatalog().Add(new KvmProvider()).Add(new Emulator.EmulatorProvider());
        IHypervisor chosen = catalog.CreateBest(out HypervisorReport report);
        report.Entries[0].Name.Should().Be("kvm");
        if (report.Entries[0].IsChosen)
        {
            chosen.Name.Should().Be("kvm");
            return;
        }
        report.Entries[0].Result.Reason.Should().NotBeNullOrEmpty();
        chosen.Name.Should().Be("emulator");
    }

    private static HypervisorUnavailableException Refusal(string device)
    {
        Action create = () => new KvmProvider().Create(HypervisorOptions.Parse($"device={device}"));
        return create.Should().Throw<HypervisorUnavailableException>().Which;
    }

    private static bool CanOpen(string path)
    {
        try
        {
            File.OpenRead(path).Dispose();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void RequireLinux() => Skip.IfNot(OperatingSystem.IsLinux(), "KVM is a part of Linux.");
}
