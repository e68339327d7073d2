using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Vmm.Hosting.Tests;

public sealed class SettingsTests : HostTest
{
    public static TheoryData<string, string> Refusals => new()
    {
        { """{ "Vmm": { "Backend": "xen" } }""", "Vmm:Backend: There is no backend 'xen'; there are emulator." },
        { """{ "Vmm": { "Backend": "emulator:tier=9,tire=1" } }""", "Vmm:Backend: The emulator backend has no option 'tire'; it has tier." },
        { """{ "Vmm": { "Bakend": "auto" } }""", "Vmm:Bakend is no setting: Vmm has Backend, DeepProbe, Machines, StopHostWhenDone." },
        { """{ "Vmm": { "DeepProbe": "perhaps" } }""", "*'Vmm:DeepProbe'*" },
        { """{ "Vmm": { "Origin": "elsewhere" } }""", "Vmm:Origin is no setting: *" },
        { Machine(""" "Memory": "16M" """), "Vmm:Machines:m: there is nothing to start from: set Kernel, Elf, Flat or Firmware." },
        { Machine(""" "Kernel": "there", "Elf": "there" """), "Vmm:Machines:m: Kernel, Elf and Flat exclude each other." },
        { Machine(""" "Firmware": "there", "Elf": "there" """), "Vmm:Machines:m: Firmware can be offered a Kernel, but neither Elf nor Flat." },
        { Machine(""" "Kernel": "nowhere" """), "Vmm:Machines:m:Kernel: there is no file '*nowhere'." },
        { Machine(""" "Elf": "there", "InitialRamDisk": "there" """), "Vmm:Machines:m:InitialRamDisk: it goes with a Kernel, and there is none." },
        { Machine(""" "Elf": "there", "CommandLine": "quiet" """), "Vmm:Machines:m:CommandLine: it goes with a Kernel, and there is none." },
        { Machine(""" "Flat": "there" """), "Vmm:Machines:m:Flat: 'there' must be FILE@ADDRESS or FILE@ADDRESS:ENTRY." },
        { Machine(""" "Flat": "there@here" """), "Vmm:Machines:m:Flat: 'there@here' must be FILE@ADDRESS or FILE@ADDRESS:ENTRY." },
        { Machine(""" "Kernel": "there", "Memory": "1X" """), "Vmm:Machines:m:Memory: '1X' is no size of RAM: *" },
        { Machine(""" "Kernel": "there", "Memory": "4K" """), "Vmm:Machines:m:Memory: '4K' is no size of RAM: *" },
        { Machine(""" "Kernel": "there", "Processors": "0" """), "Vmm:Machines:m:Processors: 0 is less than 1." },
        { Machine(""" "Kernel": "there", "Processors": "two" """), "*'Vmm:Machines:m:Processors'*" },
        { Machine(""" "Kernel": "there", "CpuProfile": "v9" """), "Vmm:Machines:m:CpuProfile: there is no profile 'v9'; there are v1, v2, v3." },
        { Machine(""" "Kernel": "there", "Slat": "shadow" """), "Vmm:Machines:m:Slat: 'shadow' is none of ept, npt and none." },
        { Machine(""" "Kernel": "there", "Serial": "stdio" """), "Vmm:Machines:m:Serial: 'stdio' is none of none, log and file:PATH." },
        { Machine(""" "Kernel": "there", "DebugExitPort": "0x10000" """), "Vmm:Machines:m:DebugExitPort: '0x10000' is no port from 0 to 0xFFFF." },
        { Machine(""" "Kernel": "there", "ShutdownTimeout": "-00:00:01" """), "Vmm:Machines:m:ShutdownTimeout: -00:00:01 is negative." },
        { Machine(""" "Kernel": "there", "ShutdownTimeout": "30" """), "Vmm:Machines:m:ShutdownTimeout: 30.00:00:00 is longer than a day; *write 00:00:10 for ten seconds." },
        { Machine(""" "Flat": "there@0x1000", "DebugExitPort": "0x3F8" """), "Vmm:Machines:m: debug-exit port at port 0x3F8 overlaps serial port at ports 0x3F8-0x3FF." },
        { Machine(""" "Kernel": "there", "Restart": "Sometimes" """), "*'Vmm:Machines:m:Restart'*" },
        { Machine(""" "Kernel": "there", "Disks": [ { "File": "there" }, { "File": "gone" } ] """), "Vmm:Machines:m:Disks:1:File: there is no file '*gone'." },
        { Machine(""" "Kernel": "there", "Network": "tap0" """), "Vmm:Machines:m:Network: 'tap0' must begin with user*" },
        { Machine(""" "Kernel": "there", "Network": "user,to-guest:tcp:70000:22" """), "Vmm:Machines:m:Network: '70000' in 'to-guest:tcp:70000:22' is no port*" },
        { Machine(""" "Kernel": "there", "Network": "user,to-host:tcp:80:1,to-host:tcp:80:2" """), "Vmm:Machines:m:Network: Port 80 leads to two places." },
        { Machine(""" "Kernel": "there", "Disks": [ { "ReadOnly": true } ] """), "Vmm:Machines:m:Disks:0:File: it is missing." },
        { Machine(""" "Kernel": "there", "Disks": [ { "File": "there", "Readonli": true } ] """), "Vmm:Machines:m:Disks:0:Readonli is no setting: Vmm:Machines:m:Disks:0 has File, ReadOnly." },
        { Machine(""" "Kernel": "there", "Memroy": "1M" """), "Vmm:Machines:m:Memroy is no setting: *" },
        { Machine(""" "Kernel": "there", "Disks": [ { "File": "there" } ] """), "Vmm:Machines:m:Disks:0:File: A disk's length is a multiple of 512 bytes above 0*" },
        { Machine(""" "Kernel": "there", "Slat": "ept", "Serial": "file:no/such/folder/out" """), "Vmm:Machines:m:Serial: *" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Wrong_setting_fails_the_start_and_is_named_in_full(string json, string message)
    {
        Write("there", [1, 2, 3]);
        using IHost host = Build(json);

        Func<Task> start = () => host.StartAsync();

        (await start.Should().ThrowAsync<OptionsValidationException>()).WithMessage(message);
    }

    [Fact]
    public void All_settings_arrive()
    {
        Write("there", new byte[512]);
        using IHost host = Build("""
            {
              "Vmm": {
                "Backend": "emulator:tier=0", "DeepProbe": true, "StopHostWhenDone": true,
                "Machines": {
                  "m": {
                    "Kernel": "there", "InitialRamDisk": "there", "CommandLine": "quiet", "Memory": "64M", "Processors": 2, "CpuProfile": "v2",
                    "Slat": "npt", "Serial": "log", "DebugExitPort": "0xF4", "Restart": "always", "ShutdownTimeout": "00:00:03",
                    "Network": "user,to-host:udp:53:5353",
                    "Disks": [ { "File": "there", "ReadOnly": true } ]
                  },
                  "n": { "Elf": "there" }, "o": { "Flat": "there@0x1000:0x1010" }, "p": { "Firmware": "there" }
                }
              }
            }
            """);

        VmmOptions options = host.Services.GetRequiredService<IOptions<VmmOptions>>().Value;
        (options.Backend, options.DeepProbe, options.Origin).Should().Be(("emulator:tier=0", true, "Vmm"));
        MachineHostOptions machines = host.Services.GetRequiredService<IOptions<MachineHostOptions>>().Value;
        machines.StopHostWhenDone.Should().BeTrue();
        HostedMachineOptions expected = new()
        {
            Kernel = "there", InitialRamDisk = "there", CommandLine = "quiet", Memory = "64M", Processors = 2, CpuProfile = "v2", Slat = "npt",
            Serial = "log", DebugExitPort = "0xF4", Restart = MachineRestart.Always, ShutdownTimeout = TimeSpan.FromSeconds(3), Network = "user,to-host:udp:53:5353",
            Disks = { new HostedDiskOptions { File = "there", ReadOnly = true } },
        };
        machines.Machines["M"].Should().BeEquivalentTo(expected);
        machines.Machines["n"].Elf.Should().Be("there");
        machines.Machines["o"].Flat.Should().Be("there@0x1000:0x1010");
        machines.Machines["p"].Firmware.Should().Be("there");
    }

    [Fact]
    public void Known_names_are_those_of_the_options()
    {
        Names<HostedMachineOptions>().Should().BeEquivalentTo(SettingNames.Machine);
        Names<HostedDiskOptions>().Should().BeEquivalentTo(SettingNames.Disk);
        Names<VmmOptions>().Concat(Names<MachineHostOptions>()).Distinct().Where(name => name != "Origin").Should().BeEquivalentTo(SettingNames.Top);
    }

    [Fact]
    public void Settings_of_code_are_named_too()
    {
        using IHost host = Build("{}", vmm => vmm.AddMachine("m"), services => services.AddVmm("k", vmm => vmm.UseEmulator().Configure(o => o.Backend = "xen")));

        Action start = () => host.Services.GetRequiredService<IStartupValidator>().Validate();

        start.Should().Throw<AggregateException>().Which.InnerExceptions.Select(e => e.Message).Should().BeEquivalentTo(
            "Vmm:Machines:m: there is nothing to start from: set Kernel, Elf, Flat or Firmware.",
            "VmmOptions.Backend: There is no backend 'xen'; there are emulator.");
    }

    private static IEnumerable<string> Names<T>() => typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name);

    private static string Machine(string settings) => $$"""{ "Vmm": { "Machines": { "m": { {{settings}} } } } }""";
}
