namespace Vmm.Tool.Tests;

public sealed class SaveTests : ToolTest
{
    private string Save(string slat = "ept")
    {
        string guest = Write("guest", GuestCode.Assemble(a =>
        {
            a.Print(">");
            a.Echo();
        }));
        string saved = PathOf("saved");
        ToolResult result = RunWith("AB"u8.ToArray(), "run", "--flat", $"{guest}@0x1000", "--memory", "4M", "--slat", slat, "--timeout", "3", "--save", saved);
        result.Should().Be(new ToolResult(0, ">BC", "", $"vmm: saved in {saved}.\r\n"));
        return saved;
    }

    [Theory]
    [InlineData("ept", "npt")]
    [InlineData("npt", "ept")]
    public void Run_left_by_timeout_is_saved_and_goes_on(string before, string after)
    {
        string saved = Save(before);
        RunWith("HAL."u8.ToArray(), "run", "--restore", saved, "--slat", after, "--timeout", "60").Should().Be(new ToolResult(0, "IBM", "", ""));
    }

    [SkippableFact]
    public void Guest_saved_on_the_emulator_goes_on_on_kvm_as_far_as_that_is_admitted()
    {
        try
        {
            Hypervisors.Kvm();
        }
        catch (HypervisorUnavailableException unavailable)
        {
            OutsideTool.Missing("kvm", unavailable.Message);
        }
        string saved = Save();
        string[] strict = ["run", "--backend", "kvm", "--restore", saved, "--timeout", "60"];
        ToolResult refused = Run(strict);
        if (refused.Status == 2)
            refused.ShouldRefuse("--allow-");
        RunWith("HAL."u8.ToArray(), [.. strict, "--allow-superset-cpuid", "--allow-other-clocks"]).Should().Be(new ToolResult(0, "IBM", "", ""));
        Run("run", "--flat", "guest@0x1000", "--allow-other-clocks").ShouldRefuse("need --restore");
    }

    [Fact]
    public void Damaged_file_is_refused()
    {
        byte[] saved = File.ReadAllBytes(Save());
        Run("run", "--restore", Write("short", saved[..^5])).ShouldRefuse("cut short");
        saved[saved.Length / 2] ^= 1;
        Run("run", "--restore", Write("flipped", saved)).ShouldRefuse("damaged");
        Run("run", "--restore", Write("other", [1, 2, 3])).ShouldRefuse("not a saved machine");
        Run("run", "--restore", PathOf("absent")).ShouldRefuse("absent");
    }

    [Theory]
    [InlineData("--memory", "8M")]
    [InlineData("--cpus", "2")]
    [InlineData("--cpu", "v2")]
    [InlineData("--kernel", "file")]
    public void What_the_saved_machine_says_is_not_said_twice(string option, string value) =>
        Run("run", "--restore", "saved", option, value).ShouldRefuse($"{option} does not go with --restore");

    [Fact]
    public void Place_that_cannot_be_written_is_refused_before_the_run() =>
        Run("run", "--flat", "guest@0x1000", "--save", PathOf("no/such/folder/state")).ShouldRefuse("--save");
}
