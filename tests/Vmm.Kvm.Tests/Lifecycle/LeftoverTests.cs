using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Vmm.Kvm.Tests.Lifecycle;

/// <summary>Nothing is left behind: by partitions that come and go, and by processes that are killed while their guests run.</summary>
/// <remarks><c>VMM_KVM_ROUNDS</c> and <c>VMM_KVM_KILLS</c> say how often.</remarks>
[Collection(AloneDefinition.Name)]
public sealed class LeftoverTests(ITestOutputHelper output)
{
    private const int Rounds = 1000, Kills = 4, WarmUp = 20;

    // mov ax, 0x1234; out 0x10, ax; hlt
    private static readonly byte[] s_code = [0xB8, 0x34, 0x12, 0xE7, 0x10, 0xF4];

    [SkippableFact]
    public void A_thousand_rounds_of_create_run_dispose_leave_nothing()
    {
        IHypervisor hypervisor = KvmHost.Create();
        int rounds = Number("VMM_KVM_ROUNDS", Rounds);
        for (int i = 0; i < WarmUp; i++)
            Round(hypervisor, i);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        (int files, int machineMaps) = (Files(), MachineMaps());
        long resident = Resident();
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < rounds; i++)
            Round(hypervisor, i);
        output.WriteLine($"{rounds} rounds, {watch.Elapsed.TotalMilliseconds / rounds:F2} ms each");
        output.WriteLine($"resident set {resident >> 10} KiB before, {Resident() >> 10} KiB after");
        Files().Should().BeLessThanOrEqualTo(files + 2, "every round closes what it opens");
        MachineMaps().Should().BeLessThanOrEqualTo(machineMaps);
        Resident().Should().BeLessThan(resident + (64L << 20));
    }

    [SkippableFact]
    public void Processes_killed_while_their_guests_run_leave_nothing()
    {
        KvmHost.Create();
        int kills = Number("VMM_KVM_KILLS", Kills);
        Dictionary<string, string> before = ModuleUses();
        Random random = new(20_261_122);
        int seen = 0;
        for (int i = 0; i < kills; i++)
        {
            ProcessStartInfo start = new("dotnet", [typeof(Program).Assembly.Location, "spin"]) { RedirectStandardOutput = true };
            using Process process = Process.Start(start)!;
            process.StandardOutput.ReadLine().Should().Be("running");
            seen += MachinesOf(process.Id).Length;
            Thread.Sleep(random.Next(5));
            process.Kill();
            process.WaitForExit(10_000).Should().BeTrue("a killed process goes away");
            Directory.Exists($"/proc/{process.Id}").Should().BeFalse();
            SpinWait.SpinUntil(() => MachinesOf(process.Id).Length == 0, 5000);
            MachinesOf(process.Id).Should().BeEmpty();
        }
        // What a dead process leaves to the kernel is cleared away a little later.
        SpinWait.SpinUntil(() => ModuleUses().All(use => before.GetValueOrDefault(use.Key) == use.Value), 5000);
        ModuleUses().Should().Equal(before, "each virtual machine counts as a use of its module");
        output.WriteLine($"{kills} processes killed; the kernel told of {seen} virtual machines of theirs, and of none afterwards");
    }

    private static void Round(IHypervisor hypervisor, int round)
    {
        bool hasApic = round % 10 == 0 && hypervisor.Capabilities.Has(Capability.LocalApic);
        LocalApicMode apic = hasApic ? LocalApicMode.XApic : LocalApicMode.None;
        using RealModeGuest guest = new(hypervisor, s_code, new PartitionOptions { LocalApic = apic });
        VpExit exit = guest.Processor.Run();
        exit.Kind.Should().Be(ExitKind.PortIo);
        exit.PortIo.Value.Should().Be(0x1234);
    }

    private static int Files() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static int MachineMaps() => File.ReadLines("/proc/self/maps").Count(line => line.Contains("kvm", StringComparison.Ordinal));

    private static long Resident() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    // Kernels tell of virtual machines in one of two places, where they are built to: a use of the module each, or a folder each that names
    // the process.
    private static Dictionary<string, string> ModuleUses() => Directory.GetDirectories("/sys/module", "kvm*")
        .Select(folder => Path.Combine(folder, "refcnt")).Where(File.Exists).ToDictionary(file => file, File.ReadAllText);

    private static string[] MachinesOf(int process)
    {
        string folder = Environment.GetEnvironmentVariable("VMM_KVM_DEBUGFS") ?? "/sys/kernel/debug/kvm";
        return Directory.Exists(folder) ? Directory.GetDirectories(folder, $"{process}-*") : [];
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
