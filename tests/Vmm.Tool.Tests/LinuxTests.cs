namespace Vmm.Tool.Tests;

public sealed class LinuxTests : ToolTest
{
    [SkippableTheory]
    [InlineData("--slat", "ept", "v1")]
    [InlineData("--slat", "npt", "v3")]
    [InlineData("--backend", "whp-simulator", "v1")]
    public void Debians_kernel_runs_a_shell_script_and_reboots(string option, string value, string cpu)
    {
        DebianGuest.Require();
        string disk = Write("initramfs.cpio", DebianGuest.InitialRamDisk());

        ToolResult result = Run(
            "run", "--memory", "256M", option, value, "--cpu", cpu, "--timeout", "240", "--kernel", DebianGuest.Kernel, "--initrd",
            disk,
            "--append", "console=ttyS0 quiet panic=-1 reboot=k work=hello end=reboot");

        result.Status.Should().Be(0, "the guest said {0} and the tool {1}", result.Output, result.Error);
        result.Error.Should().BeEmpty();
        string[] lines = result.Output.Split("\r\n");
        // What any Linux prints for this script.
        lines.Where(line => line.StartsWith("OUT: ")).Should()
            .Equal("OUT: hello from Linux x86_64", "OUT: one 2 three", "OUT: 42", "OUT: /bin/busybox");
        lines.Should().Contain("GUEST: done");
    }

    [SkippableFact]
    public void Debians_kernel_finds_two_processors_and_switches_the_machine_off()
    {
        DebianGuest.Require();
        string disk = Write("initramfs.cpio", DebianGuest.InitialRamDisk());

        ToolResult result = Run(
            "run", "--cpus", "2", "--timeout", "240", "--kernel", DebianGuest.Kernel, "--initrd", disk,
            "--append", "console=ttyS0 quiet panic=-1 work=smp end=poweroff");

        result.Status.Should().Be(0, "the guest said {0} and the tool {1}", result.Output, result.Error);
        result.Error.Should().BeEmpty();
        // The number of processors, then what each makes of 8 MiB of zeros.
        const string Hash = "OUT: 2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74  -";
        result.Output.Split("\r\n").Where(line => line.StartsWith("OUT: ")).Should().Equal("OUT: 2", Hash, Hash);
        result.Output.Should().Contain("GUEST: done").And.Contain("reboot: Power down");
    }
}
