using System.Net;
using System.Net.Sockets;
using Iced.Intel;

namespace Vmm.Tool.Tests;

public sealed class UsageTests : ToolTest
{
    [Theory]
    [InlineData("--gdb door", "--gdb 'door' must be PORT or ADDRESS:PORT")]
    [InlineData("--gdb 65536", "--gdb '65536'")]
    [InlineData("--gdb nowhere:1234", "--gdb 'nowhere:1234'")]
    [InlineData("--gdb 192.0.2.1:1234", "--gdb 192.0.2.1:1234: ")]
    [InlineData("--gdb 0 --deterministic", "--gdb does not go with --deterministic")]
    [InlineData("--lockstep nonesuch", "--lockstep: There is no backend 'nonesuch'")]
    [InlineData("--lockstep emulator --record file", "--record does not go with --lockstep")]
    [InlineData("--lockstep emulator --gdb 0", "--gdb does not go with --lockstep")]
    [InlineData("--replay nonesuch.rec", "--flat does not go with --replay")]
    [InlineData("--disk nonesuch.img,readonly", "--disk cannot be opened")]
    [InlineData("--disk /", "--disk cannot be opened")]
    [InlineData("--timeout soon", "--timeout 'soon'")]
    [InlineData("--disk ,readonly", "must be FILE or FILE,readonly")]
    [InlineData("--virtio usb", "--virtio 'usb'")]
    [InlineData("--deterministic --network user", "takes no network card")]
    [InlineData("--network tap0", "must begin with user")]
    [InlineData("--network user,to-host:tcp:80", "--network: 'to-host:tcp:80' must be")]
    [InlineData("--network user,to-guest:udp:80:81", "--network: 'to-guest:udp:80:81' must be")]
    [InlineData("--network user,to-host:tcp:0:81", "'0' in 'to-host:tcp:0:81' is no port")]
    [InlineData("--network user,to-host:tcp:80:81,to-host:tcp:80:82", "leads to two places")]
    [InlineData("--firmware rom", "exactly one of")]
    [InlineData("--debug-console stderr", "need --firmware")]
    [InlineData("--firmware-file a=b", "need --firmware")]
    [InlineData("--backend emulator:tier=1", "tier=1")]
    [InlineData("--backend emulator:speed=9", "no option 'speed'")]
    [InlineData("--backend emulator:tier", "key=value")]
    [InlineData("--backend auto:tier=0", "'auto' takes no options")]
    [InlineData("--backend nonesuch", "no backend 'nonesuch'")]
    [InlineData("--cpus 0", "--cpus '0'")]
    [InlineData("--cpus -1", "--cpus '-1'")]
    [InlineData("--cpus 1000000", "--cpus 1000000")]
    [InlineData("--cpu v9", "--cpu v9")]
    [InlineData("--slat shadow", "--slat 'shadow'")]
    [InlineData("--serial tcp", "--serial 'tcp'")]
    [InlineData("--debug-exit 65536", "--debug-exit '65536'")]
    [InlineData("--debug-exit door", "--debug-exit 'door'")]
    [InlineData("--debug-exit 0x3f8", "overlaps")]
    [InlineData("--timeout 0", "--timeout '0'")]
    [InlineData("--timeout NaN", "--timeout 'NaN'")]
    [InlineData("--memory 0", "--memory 0")]
    [InlineData("--memory 64K", "--memory 64K")]
    [InlineData("--memory 1048577", "--memory 1048577")]
    [InlineData("--memory 99999999999999999999", "is no size")]
    [InlineData("--memory 2T", "--memory 2T")]
    [InlineData("--memory lots", "is no size")]
    [InlineData("--stats=text", "--stats 'text'")]
    [InlineData("--initrd file", "need --kernel")]
    [InlineData("--append text", "need --kernel")]
    [InlineData("--elf file", "exactly one of")]
    public void Wrong_option_is_refused_in_one_line(string options, string because)
    {
        string guest = Write("guest", GuestCode.Assemble(a => a.hlt()));

        Run(["run", "--flat", $"{guest}@0x1000", .. options.Split(' ')]).ShouldRefuse(because);
    }

    [Theory]
    [InlineData("guest", "must be FILE@ADDRESS")]
    [InlineData("guest@", "is no number")]
    [InlineData("guest@0x1000:2:3", "must be FILE@ADDRESS")]
    [InlineData("guest@0x100000000", "is no number")]
    [InlineData("guest@0xFFFFFFFF", "no RAM")]
    [InlineData("nothing@0x1000", "cannot be read")]
    [InlineData("@0x1000", "is a directory")]
    public void Wrong_flat_image_is_refused_in_one_line(string value, string because)
    {
        Write("guest", GuestCode.Assemble(a => a.hlt()));

        Run("run", "--flat", PathOf(value)).ShouldRefuse(because);
    }

    [Theory]
    [InlineData("run --flat a@0 --nonsense", "--nonsense")]
    [InlineData("run --kernel", "--kernel")]
    [InlineData("run --kernel a --kernel b", "--kernel")]
    [InlineData("sing", "There is no command or option 'sing'.")]
    [InlineData("doctor extra", "extra")]
    [InlineData("", "command")]
    public void Unknown_words_are_refused_with_a_pointer_to_help(string line, string because)
    {
        ToolResult result = Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        result.Status.Should().Be(2);
        result.Error.Should().Contain(because).And.Contain("--help").And.NotContain("   at ");
        result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().OnlyContain(text => text.StartsWith("vmm: "));
    }

    [Fact]
    public void Port_of_the_host_that_is_taken_is_named()
    {
        string guest = Write("guest", GuestCode.Assemble(a => a.hlt()));
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;

        Run("run", "--flat", $"{guest}@0x1000", "--network", $"user,to-guest:tcp:{port}:22").ShouldRefuse($"in use (127.0.0.1:{port})");
    }

    [Fact]
    public void Nothing_to_run_is_refused()
    {
        Run("run").ShouldRefuse("exactly one of --kernel, --elf, --flat, --firmware, --restore and --replay");
    }

    [Theory]
    [InlineData("--help", "conformance")]
    [InlineData("run --help", "--debug-exit")]
    [InlineData("doctor --help", "--json")]
    [InlineData("conformance --help", "--report")]
    public void Help_is_on_standard_output(string line, string mentions)
    {
        ToolResult result = Run(line.Split(' '));

        result.Status.Should().Be(0);
        result.Text.Should().Contain(mentions);
        result.Error.Should().BeEmpty();
    }

    [Fact]
    public void Statistics_file_that_cannot_be_made_is_refused_before_the_guest_runs()
    {
        string guest = Write("guest", GuestCode.Assemble(a => a.Print("ran")));

        Run("run", "--flat", $"{guest}@0x1000", $"--stats=json:{PathOf("no/such/folder")}").ShouldRefuse("--stats");
    }
}
