using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Vmm.Machines;

namespace Vmm.Hosting.Tests;

public sealed class MachineHostTests : HostTest
{
    private const string TwoMachines = """
        {
          "Vmm": {
            "Backend": "emulator",
            "Machines": {
              "obeys": { "Flat": "obeys@0x1000", "Memory": "1M", "Serial": "log", "ShutdownTimeout": "00:01:00" },
              "deaf": { "Flat": "deaf@0x1000", "Memory": "1M", "Serial": "file:deaf.txt" }
            }
          }
        }
        """;

    [Fact]
    public async Task Machines_run_from_configuration_and_stop_by_button_or_by_force()
    {
        Write("obeys", TestGuest.Listen, TestGuest.Print("ready\n"), TestGuest.AwaitButton, TestGuest.PowerOff);
        Write("deaf", TestGuest.Print("deaf\n"), TestGuest.Spin);
        using IHost host = Build(TwoMachines);
        await host.StartAsync();
        IMachineHost machines = host.Services.GetRequiredService<IMachineHost>();
        machines.Machines.Select(machine => (machine.Name, machine.State, machine.Starts))
            .Should().Equal(("deaf", HostedMachineState.Running, 1), ("obeys", HostedMachineState.Running, 1));
        machines["OBEYS"].Machine!.Partition.Options.ProcessorCount.Should().Be(1);
        await EventuallyAsync(() => Logs.Lines.Contains("6006 obeys: ready"), "the guest prints");
        await EventuallyAsync(() => new FileInfo(PathOf("deaf.txt")).Length == 5, "the other guest prints");

        await host.StopAsync().WaitAsync(Patience);

        machines["obeys"].Outcome!.ToString().Should().Be("powered off (ACPI)");
        machines["deaf"].Outcome!.Kind.Should().Be(MachineOutcomeKind.Cancelled);
        machines.Machines.Should().OnlyContain(machine => machine.State == HostedMachineState.Stopped && machine.Machine == null);
        File.ReadAllText(PathOf("deaf.txt")).Should().Be("deaf\n");
        Logs.Lines.Should().Contain("6004 Stopping 2 machine(s)").And.Contain("6000 Starting the machine deaf on the emulator backend");
    }

    [Fact]
    public async Task Shutdown_time_of_a_guest_that_listens_and_does_nothing_is_limited()
    {
        Write("guest", TestGuest.Listen, TestGuest.Print("x"), TestGuest.Spin);
        using IHost host = Build("""{ "Vmm": { "Machines": { "stubborn": { "Flat": "guest@0x1000", "Memory": "1M", "Serial": "file:out", "ShutdownTimeout": "00:00:00.05" } } } }""");
        await host.StartAsync();
        await EventuallyAsync(() => new FileInfo(PathOf("out")).Length == 1, "the guest prints");

        await host.StopAsync().WaitAsync(Patience);

        host.Services.GetRequiredService<IMachineHost>()["stubborn"].State.Should().Be(HostedMachineState.Stopped);
        Logs.Lines.Should().Contain("5008 Ending the machine's run: its guest did not shut down in time");
    }

    [Fact]
    public async Task Host_that_loses_patience_stops_machines_all_the_same()
    {
        Write("guest", TestGuest.Listen, TestGuest.Print("x"), TestGuest.Spin);
        using IHost host = Build("""{ "Vmm": { "Machines": { "stubborn": { "Flat": "guest@0x1000", "Memory": "1M", "Serial": "file:out", "ShutdownTimeout": "-00:00:00.001" } } } }""");
        await host.StartAsync();
        await EventuallyAsync(() => new FileInfo(PathOf("out")).Length == 1, "the guest prints");

        using CancellationTokenSource hurry = new(TimeSpan.FromMilliseconds(50));
        await host.StopAsync(hurry.Token).WaitAsync(Patience);

        host.Services.GetRequiredService<IMachineHost>()["stubborn"].State.Should().Be(HostedMachineState.Stopped);
    }

    [Fact]
    public async Task Host_stops_when_all_machines_have_ended()
    {
        Write("guest", TestGuest.PowerOff);
        using IHost host = Build("""{ "Vmm": { "StopHostWhenDone": true, "Machines": { "short": { "Flat": "guest@0x1000", "Memory": "1M" } } } }""");

        await host.RunAsync().WaitAsync(Patience);

        Logs.Lines.Should().Contain("6001 The machine short has ended: powered off (ACPI)").And.Contain("6005 All machines have ended: stopping the host");
    }

    [Fact]
    public async Task Machine_that_resets_starts_again_where_it_is_asked_for()
    {
        Write("guest", TestGuest.Print("."), TestGuest.Reset);
        ManualTime time = new();
        using IHost host = Build(
            """{ "Vmm": { "Machines": { "again": { "Flat": "guest@0x1000", "Memory": "1M", "Restart": "OnReset", "Serial": "file:out" } } } }""",
            services: services => services.AddSingleton<TimeProvider>(time));
        await host.StartAsync();
        HostedMachine machine = host.Services.GetRequiredService<IMachineHost>()["again"];
        for (int start = 2; start <= 3; start++)
        {
            // Not before a second has passed.
            await EventuallyAsync(() => time.Waiting == 1, "the host waits");
            machine.Starts.Should().Be(start - 1);
            time.Advance(TimeSpan.FromSeconds(1));
            await EventuallyAsync(() => machine.Starts == start, "it starts again");
        }
        await EventuallyAsync(() => time.Waiting == 1, "the third run has ended");

        await host.StopAsync().WaitAsync(Patience);

        machine.State.Should().Be(HostedMachineState.Stopped);
        File.ReadAllText(PathOf("out")).Should().Be("...");
    }

    [Fact]
    public async Task Port_that_leads_to_a_machine_is_open_as_long_as_it_is_there()
    {
        Write("guest", TestGuest.Spin);
        int port = FreePort();
        for (int round = 0; round < 2; round++)
        {
            using IHost host = Build($$"""{ "Vmm": { "Machines": { "m": { "Flat": "guest@0x1000", "Memory": "1M", "Network": "user,to-guest:tcp:{{port}}:22", "ShutdownTimeout": "00:00:00" } } } }""");
            await host.StartAsync();
            using (TcpClient client = new())
                await client.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Patience);
            host.Services.GetRequiredService<IMachineHost>()["m"].Machine!.Network.Should().NotBeNull();

            using IHost other = Build($$"""{ "Vmm": { "Machines": { "n": { "Flat": "guest@0x1000", "Memory": "1M", "Network": "user,to-guest:tcp:{{port}}:22" } } } }""");
            Func<Task> starting = () => other.StartAsync();
            (await starting.Should().ThrowAsync<OptionsValidationException>()).WithMessage("Vmm:Machines:n:Network: *");

            await host.StopAsync().WaitAsync(Patience);
        }
        using TcpClient late = new();
        Func<Task> connecting = () => late.ConnectAsync(IPAddress.Loopback, port);
        await connecting.Should().ThrowAsync<SocketException>();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [Fact]
    public async Task Machine_that_resets_has_ended_where_nothing_is_asked_for()
    {
        Write("guest", TestGuest.Reset);
        using IHost host = Build("""{ "Vmm": { "Machines": { "once": { "Flat": "guest@0x1000", "Memory": "1M" } } } }""");
        await host.StartAsync();
        HostedMachine machine = host.Services.GetRequiredService<IMachineHost>()["once"];
        await machine.Completion.WaitAsync(Patience);
        machine.State.Should().Be(HostedMachineState.Ended);
        machine.Outcome!.Kind.Should().Be(MachineOutcomeKind.Reset);
        machine.Machine.Should().BeNull();
        await host.StopAsync();
        machine.State.Should().Be(HostedMachineState.Ended);
    }

    [Fact]
    public async Task Code_adds_machines_and_finishes_them()
    {
        Write("guest", TestGuest.Print("hi"), TestGuest.PowerOff);
        List<byte> sent = [];
        using IHost host = Build(
            """{ "Vmm": { "Machines": { "both": { "Flat": "guest@0x1000", "Memory": "1M" } } } }""",
            vmm => vmm
                .AddMachine("both", finish: (_, options) => options with { SerialOutput = data => sent.AddRange(data) })
                .AddMachine("code", settings => settings.Memory = "2M", (_, options) => options with { Image = new FlatImage(TestGuest.PowerOff, 0x1000) })
                .StopHostWhenDone());

        await host.RunAsync().WaitAsync(Patience);

        sent.Should().Equal("hi"u8.ToArray());
        Logs.Lines.Should().Contain("6001 The machine code has ended: powered off (ACPI)");
        Logs.Lines.Should().Contain(line => line.StartsWith("5000 ") && line.Contains("2097152 bytes"));
    }

    [Fact]
    public async Task Keyed_hosts_have_their_own_backend_and_machines()
    {
        Write("guest", TestGuest.Spin);
        using IHost host = Build("{}", services: services => services.AddVmm("tests", vmm => vmm.UseEmulator()
            .AddMachine("mine", settings => (settings.Flat, settings.Memory) = ("guest@0x1000", "1M"))));
        await host.StartAsync();

        host.Services.GetRequiredKeyedService<IMachineHost>("tests")["mine"].State.Should().Be(HostedMachineState.Running);
        host.Services.GetRequiredService<IMachineHost>().Machines.Should().BeEmpty();
        host.Services.GetServices<IHostedService>().Should().HaveCount(2);
        await host.StopAsync().WaitAsync(Patience);
        host.Services.GetRequiredKeyedService<IMachineHost>("tests")["mine"].State.Should().Be(HostedMachineState.Stopped);
    }

    [Fact]
    public async Task Provider_that_is_disposed_without_a_stop_takes_its_machines_along()
    {
        Write("guest", TestGuest.Spin);
        IHost host = Build("""{ "Vmm": { "Machines": { "left": { "Flat": "guest@0x1000", "Memory": "1M" } } } }""");
        await host.StartAsync();
        HostedMachine machine = host.Services.GetRequiredService<IMachineHost>()["left"];

        await ((IAsyncDisposable)host).DisposeAsync().AsTask().WaitAsync(Patience);

        machine.State.Should().Be(HostedMachineState.Stopped);
        machine.Machine.Should().BeNull();
    }

    [Fact]
    public async Task Unknown_machine_is_an_error_that_lists_the_others()
    {
        Write("guest", TestGuest.PowerOff);
        using IHost host = Build("""{ "Vmm": { "Machines": { "a": { "Flat": "guest@0x1000", "Memory": "1M" } } } }""");
        IMachineHost machines = host.Services.GetRequiredService<IMachineHost>();
        machines.Invoking(m => m["a"]).Should().Throw<ArgumentException>().WithMessage("*'a'*host has not started*");
        await host.StartAsync();
        machines.Invoking(m => m["b"]).Should().Throw<ArgumentException>().WithMessage("There is no machine 'b'; there are a.*");
    }

    [Fact]
    public async Task Image_that_turns_out_wrong_fails_the_start_by_its_name_and_nothing_runs()
    {
        Write("good", TestGuest.Spin);
        Write("bad", [1, 2, 3]);
        using IHost host = Build("""
            { "Vmm": { "Machines": { "a": { "Flat": "good@0x1000", "Memory": "1M" }, "b": { "Kernel": "bad", "Memory": "16M" } } } }
            """);

        Func<Task> start = () => host.StartAsync();

        (await start.Should().ThrowAsync<OptionsValidationException>()).WithMessage("Vmm:Machines:b: *no header of a Linux bzImage*");
        Logs.Lines.Should().NotContain(line => line.StartsWith("5001 ") || line.StartsWith("6000 "));
        host.Services.GetRequiredService<IMachineHost>()["a"].Machine.Should().BeNull();
    }
}
