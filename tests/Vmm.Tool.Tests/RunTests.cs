using System.Text.Json;
using Iced.Intel;

namespace Vmm.Tool.Tests;

public sealed class RunTests : ToolTest
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    [InlineData(0x7F, 255)]
    [InlineData(0x80, 1)]
    [InlineData(0xFF, 255)]
    public void Debug_exit_gives_an_odd_status(byte value, int status)
    {
        ToolResult result = RunGuest(a => a.Out(GuestCode.DebugExitPort, value), "--debug-exit", "0xf4");

        result.Should().Be(new ToolResult(status, "", "", ""));
    }

    [Theory]
    [InlineData(0x64, 0xFE)]
    [InlineData(0x92, 0x01)]
    [InlineData(0xCF9, 0x06)]
    public void Reset_by_any_port_gives_status_0(ushort port, byte value)
    {
        RunGuest(a => a.Out(port, value)).Should().Be(new ToolResult(0, "", "", ""));
    }

    [Theory]
    [InlineData("ept")]
    [InlineData("npt")]
    [InlineData("none")]
    public void Serial_port_is_standard_output_byte_for_byte(string slat)
    {
        const string Text = "a\r\n\u0000\u00FF\u001B[mz";

        ToolResult result = RunGuest(
            a =>
            {
                a.Print(Text);
                a.Out(0x64, 0xFE);
            },
            "--slat", slat);

        result.Should().Be(new ToolResult(0, Text, "", ""));
    }

    [Fact]
    public void Serial_port_is_standard_input()
    {
        string file = Write("guest", GuestCode.Assemble(a => a.Echo()));

        RunWith("HAL."u8.ToArray(), "run", "--flat", $"{file}@0x1000", "--timeout", "60").Should().Be(new ToolResult(0, "IBM", "", ""));
    }

    [Fact]
    public void Serial_file_takes_the_output()
    {
        ToolResult result = RunGuest(
            a =>
            {
                a.Print("to a file");
                a.Out(0x64, 0xFE);
            },
            "--serial", $"file:{PathOf("serial")}");

        result.Should().Be(new ToolResult(0, "", "", ""));
        File.ReadAllText(PathOf("serial")).Should().Be("to a file");
    }

    [Fact]
    public void Serial_none_drops_the_output()
    {
        RunGuest(
            a =>
            {
                a.Print("nowhere");
                a.Out(0x64, 0xFE);
            },
            "--serial", "none").Should().Be(new ToolResult(0, "", "", ""));
    }

    [Fact]
    public void Halt_with_interrupts_off_gives_status_8()
    {
        ToolResult result = RunGuest(a =>
        {
            a.cli();
            a.hlt();
        });

        result.Status.Should().Be(8);
        result.Error.Should().Be($"vmm: every processor is halted and nothing is able to wake one.{Environment.NewLine}");
    }

    [Fact]
    public void Triple_fault_gives_status_6_with_registers_and_code()
    {
        // An interrupt table of no length, then an exception.
        ToolResult result = RunGuest(a =>
        {
            a.mov(AssemblerRegisters.bx, 0x1234);
            a.lidt(AssemblerRegisters.__[0x2000]);
            a.ud2();
        });

        result.Status.Should().Be(6);
        result.Error.Should().Contain("triple fault on processor 0").And.Contain("rbx=0000000000001234").And.Contain("ud2");
        result.Error.Split('\n').Should().OnlyContain(line => line.Length == 0 || line.StartsWith("vmm: ") || line.StartsWith("  "));
    }

    [Fact]
    public void Guest_without_an_end_is_ended_by_the_timeout_with_status_124()
    {
        ToolResult result = RunGuest(
            a =>
            {
                Label here = a.CreateLabel();
                a.Label(ref here);
                a.jmp(here);
            },
            "--timeout", "0.3");

        result.Status.Should().Be(124);
        result.Error.Should().Be($"vmm: the guest did not end within 0.3 s.{Environment.NewLine}");
    }

    [Fact]
    public void Statistics_count_what_ran()
    {
        string path = PathOf("statistics.json");

        ToolResult result = RunGuest(
            a =>
            {
                a.nop();
                a.Out(0x64, 0xFE);
            },
            $"--stats=json:{path}");

        result.Status.Should().Be(0);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        json.RootElement.GetProperty("processor.0.exits.PortIo").GetDouble().Should().Be(1);
        json.RootElement.GetProperty("slat.pages.2m").GetDouble().Should().Be(128, "256 MiB are mapped in pages of 2 MiB");
    }

    [Fact]
    public void Statistics_without_a_file_go_to_standard_error()
    {
        ToolResult result = RunGuest(a => a.Out(0x64, 0xFE), "--stats");

        result.Status.Should().Be(0);
        result.Output.Should().BeEmpty();
        result.Error.Should().Contain("vmm: processor.0.exits.PortIo = 1");
    }

    [Fact]
    public void Unavailable_backend_gives_status_4_with_reason_and_fix()
    {
        ToolResult result = RunGuest(a => a.hlt(), "--backend", "absent");

        result.Status.Should().Be(4);
        result.Error.Should().Contain("the test says so").And.Contain("Fix: ask the test to say otherwise.");
    }

    [Fact]
    public void Profile_two_is_given_where_the_backend_has_it()
    {
        RunGuest(a => a.Out(0x64, 0xFE), "--cpu", "v2", "--backend", "emulator:tier=0").Status.Should().Be(0);
    }

    private ToolResult RunGuest(Action<Assembler> body, params string[] arguments)
    {
        string file = Write("guest", GuestCode.Assemble(body));
        string[] limit = arguments.Contains("--timeout") ? [] : ["--timeout", "60"];
        return Run(["run", "--flat", $"{file}@0x1000", .. limit, .. arguments]);
    }
}
