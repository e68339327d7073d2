using System.Net;
using System.Net.Sockets;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Tool.Tests;

/// <summary>vmm run --gdb with Debian's gdb.</summary>
public sealed class DebuggerTests : ToolTest
{
    [SkippableFact]
    public async Task Gdb_debugs_Debians_kernel_on_two_processors_which_then_boots_on()
    {
        OutsideTool.Require("gdb", "gdb", "gdb");
        DebianGuest.Require();
        string disk = Write("initramfs.cpio", DebianGuest.InitialRamDisk());
        int port = FreePort();
        Task<ToolResult> run = Task.Run(() => Run(
            "run", "--gdb", $"{port}", "--cpus", "2", "--timeout", "240", "--kernel", DebianGuest.Kernel, "--initrd", disk,
            "--append", "console=ttyS0 quiet nokaslr panic=-1 reboot=k work=hello end=reboot"));

        string said = Gdb("-ex", "set tcp connect-timeout 60", "-ex", $"target remote 127.0.0.1:{port}", "-x", Path.Combine(AppContext.BaseDirectory, "guests", "linux.gdb"));
        ToolResult result = await run;

        said.Should().Contain("=> 0x1000200:\tcld").And.MatchRegex("hit Breakpoint 1, 0x0*1000000 in|\nBreakpoint 1, 0x0*1000000 in").And.MatchRegex("rip +0x1000000 ")
            .And.MatchRegex("efer +0x500 ").And.Contain("received signal SIGINT").And.MatchRegex("=> 0xffffffff[0-9a-f]{8}:\tswapgs")
            .And.MatchRegex("=> 0xffffffff[0-9a-f]{8}:\tpush +\\$0x2b").And.Contain("New value = 43").And.MatchRegex(":\t0x000000000000002b").And.Contain("detached");
        said.Should().Contain("Thread 2 (processor 1, waits for its start-up interrupt)").And.MatchRegex("Thread 2 \\(processor 1(, halted)?\\)");
        // What SWAPGS swapped.
        string[] bases = [.. said.Split('\n').Where(line => line.StartsWith("gs_base ", StringComparison.Ordinal)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])];
        string[] kernelBases = [.. said.Split('\n').Where(line => line.StartsWith("k_gs_base ", StringComparison.Ordinal)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])];
        bases.Should().HaveCount(2).And.Equal(kernelBases.Reverse());
        kernelBases[0].Should().StartWith("0xffff");

        result.Status.Should().Be(0, "the guest said {0} and the tool {1}", result.Output, result.Error);
        result.Error.Should().Be($"vmm: the guest waits for gdb: target remote 127.0.0.1:{port}\r\n");
        result.Output.Split("\r\n").Where(line => line.StartsWith("OUT: ", StringComparison.Ordinal)).Should()
            .Equal("OUT: hello from Linux x86_64", "OUT: one 2 three", "OUT: 42", "OUT: /bin/busybox");
        result.Output.Should().Contain("GUEST: done");
    }

    [SkippableFact]
    public async Task Gdb_that_kills_the_guest_ends_the_run()
    {
        OutsideTool.Require("gdb", "gdb", "gdb");
        (Task<ToolResult> run, int port) = RunEndless();
        Gdb("-ex", "set tcp connect-timeout 60", "-ex", $"target remote 127.0.0.1:{port}", "-ex", "set confirm off", "-ex", "kill");
        ToolResult result = await run;
        result.Status.Should().Be(0);
    }

    [Fact]
    public async Task Timeout_ends_a_guest_that_waits_for_a_debugger()
    {
        (Task<ToolResult> run, _) = RunEndless("--timeout", "1");
        (await run).Status.Should().Be(124);
    }

    [Fact]
    public void Port_in_use_is_told()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        string image = Write("guest.bin", GuestCode.Assemble(a => a.hlt()));
        Run("run", "--flat", $"{image}@0x1000", "--gdb", $"{((IPEndPoint)listener.LocalEndpoint).Port}").ShouldRefuse("in use");
    }

    private (Task<ToolResult> Run, int Port) RunEndless(params string[] more)
    {
        string image = Write("guest.bin", GuestCode.Assemble(a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.inc(bx);
            a.jmp(again);
        }));
        int port = FreePort();
        return (Task.Run(() => Run(["run", "--flat", $"{image}@0x1000", "--gdb", $"{port}", .. more])), port);
    }

    private static string Gdb(params string[] arguments) => OutsideTool.Try("gdb", "gdb", null, "gdb", ["-nx", "-batch", .. arguments]).Output;

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
