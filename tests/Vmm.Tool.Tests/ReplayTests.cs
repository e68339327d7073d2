using System.Text.Json;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Tool.Tests;

public sealed class ReplayTests : ToolTest
{
    private string Guest() => Write("guest", GuestCode.Assemble(a =>
    {
        a.rdtsc();
        a.mov(dx, GuestCode.SerialPort);
        a.@out(dx, al); // differs from run to run
        a.Print("begin ");
        a.Echo();
    }));

    private ToolResult Record(string file, params string[] options) => RunWith(
        "hal."u8.ToArray(),
        ["run", "--flat", $"{Guest()}@0x1000", "--debug-exit", "0xF4", "--memory", "4M", "--timeout", "60", "--record", PathOf(file), .. options]);

    [Theory]
    [InlineData("--slat", "ept")]
    [InlineData("--deterministic", "--stats")]
    public void Recorded_run_is_replayed_with_its_output_and_status(string option, string other)
    {
        ToolResult first = Record("recording", option, other);
        first.Status.Should().Be(0, "{0}", first.Error);
        first.Output.Should().EndWith("begin ibm").And.HaveLength(10);

        ToolResult second = Run("run", "--replay", PathOf("recording"), "--slat", "npt");

        second.Output.Should().Be(first.Output);
        second.Status.Should().Be(0, "{0}", second.Error);
        second.Error.Should().Contain("replayed to the end, with nothing different");
    }

    [Fact]
    public void Status_of_the_recorded_run_is_that_of_the_replay()
    {
        string guest = Write("guest", GuestCode.Assemble(a => a.Out(GuestCode.DebugExitPort, 0x11)));
        Run("run", "--flat", $"{guest}@0x1000", "--debug-exit", "0xF4", "--record", PathOf("recording")).Status.Should().Be(35);

        Run("run", "--replay", PathOf("recording")).Status.Should().Be(35);
    }

    [Fact]
    public void Damaged_recording_is_refused_in_one_line()
    {
        Record("recording");
        byte[] whole = File.ReadAllBytes(PathOf("recording"));
        Random random = new(1);
        for (int i = 0; i < 60; i++)
        {
            byte[] damaged = [.. whole];
            damaged[random.Next(whole.Length)] ^= (byte)(1 << random.Next(8));
            Run("run", "--replay", Write("damaged", damaged)).ShouldRefuse("recording");
            Run("run", "--replay", Write("short", whole[..random.Next(whole.Length)])).ShouldRefuse("recording");
        }
        Run("run", "--replay", Write("long", [.. whole, 0])).ShouldRefuse("more after its end");
        Run("run", "--replay", PathOf("nonesuch")).ShouldRefuse("--replay");
    }

    [Fact]
    public void Recording_that_cannot_be_written_or_made_is_refused()
    {
        Record("no/such/folder").ShouldRefuse("cannot be written");
        Record("recording", "--backend", "whp-simulator").ShouldRefuse("cannot count time in instructions");
    }

    [Fact]
    public void Backends_in_lock_step_do_the_same()
    {
        ToolResult result = RunWith(
            "hal."u8.ToArray(),
            "run", "--flat", $"{Guest()}@0x1000", "--debug-exit", "0xF4", "--memory", "4M", "--timeout", "60", "--lockstep", "emulator");

        result.Status.Should().Be(0, "{0}", result.Error);
        result.Output.Should().EndWith("begin ibm");
        result.Error.Should().Contain("lock-step of emulator and emulator: ").And.Contain("no difference");
    }

    [SkippableFact]
    public void Debians_boot_is_replayed_byte_for_byte_and_to_the_instruction()
    {
        DebianGuest.Require();
        string disk = Write("initramfs.cpio", DebianGuest.InitialRamDisk());

        ToolResult first = Run(
            "run", "--timeout", "240", "--kernel", DebianGuest.Kernel, "--initrd", disk, "--append", "console=ttyS0 quiet panic=-1 reboot=k work=hello end=reboot",
            "--record", PathOf("recording"), "--stats=json:" + PathOf("first.json"));
        first.Status.Should().Be(0, "the guest said {0} and the tool {1}", first.Output, first.Error);
        first.Output.Should().Contain("OUT: hello from Linux x86_64").And.Contain("GUEST: done");

        ToolResult second = Run("run", "--replay", PathOf("recording"), "--timeout", "240", "--stats=json:" + PathOf("second.json"));

        second.Status.Should().Be(0, "the tool said {0}", second.Error);
        second.Output.Should().Be(first.Output);
        Instructions("second.json").Should().Be(Instructions("first.json")).And.BeGreaterThan(100_000_000d);
    }

    private double Instructions(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(PathOf(file))).RootElement.GetProperty("instructions").GetDouble();
}
