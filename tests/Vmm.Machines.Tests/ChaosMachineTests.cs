using System.Text;
using Iced.Intel;
using Vmm.Emulator;
using Vmm.Testing;
using Xunit.Abstractions;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>
/// Machines on a backend that disturbs: the guest comes to what it comes to, or the run ends with the reason; nothing is left behind.
/// </summary>
public sealed class ChaosMachineTests(ITestOutputHelper output)
{
    private const int Seeds = 4;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    // Reckons with memory, takes twenty timer interrupts from halts, prints, and leaves with what it reckoned.
    private static byte[] Guest() => EmulatedGuest.Build(guest =>
    {
        Label wait = guest.CreateLabel(), reckon = guest.CreateLabel();
        guest.InitializeInterruptControllers(0xFE, 0xFF);
        guest.SetHandler(0x20, () =>
        {
            guest.inc(ebx);
            guest.Out(0x20, 0x20);
            guest.iretd();
        });
        guest.xor(ebx, ebx);
        guest.mov(esi, 1);
        guest.mov(ecx, 5000);
        guest.Label(ref reckon);
        guest.imul(esi, esi, 1_664_525);
        guest.add(esi, 1_013_904_223);
        guest.add(__dword_ptr[0x30_0000], esi);
        guest.loop(reckon);
        guest.Out(0x43, 0x34);
        guest.Out(0x40, 0xA9);
        guest.Out(0x40, 0x04); // 1 ms
        guest.sti();
        guest.Label(ref wait);
        guest.hlt();
        guest.cmp(ebx, 20);
        guest.jb(wait);
        guest.cli();
        foreach (char letter in "calm")
            guest.Out(0x3F8, letter);
        guest.mov(eax, __dword_ptr[0x30_0000]);
        guest.@out(0xF4, al);
        guest.hlt();
    });

    private static uint Reckoned()
    {
        uint value = 1, sum = 0;
        for (int i = 0; i < 5000; i++)
        {
            value = (value * 1_664_525) + 1_013_904_223;
            sum += value;
        }
        return sum & 0xFF;
    }

    private static MachineOptions Options(LocalApicMode localApic, StringBuilder sent) => new()
    {
        Image = new KernelImage(Guest()),
        MemorySize = 4 << 20,
        LocalApic = localApic,
        DebugExitPort = 0xF4,
        HasHostEvents = true, // an interrupt may be under way while nothing shows it
        SerialOutput = data => sent.Append(Encoding.Latin1.GetString(data)),
    };

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Guest_comes_to_the_same_end_whatever_disturbs_it(LocalApicMode localApic)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            ChaosHypervisor hypervisor = new(new EmulatorHypervisor(), new()
            {
                Seed = seed, SpuriousCancels = 0.2, EarlyInterruptWindows = 0.2, ShortRuns = 0.2, CancelStorms = 0.2, LateInterrupts = 0.5,
            });
            StringBuilder sent = new();
            await using Machine machine = new(hypervisor, Options(localApic, sent));
            MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
            output.WriteLine($"seed {seed}: {outcome}; {hypervisor.Counts}");
            outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit, "seed {0}", seed);
            outcome.Value.Should().Be(Reckoned(), "seed {0}", seed);
            sent.ToString().Should().Be("calm", "seed {0}", seed);
            ChaosCounts counts = hypervisor.Counts;
            new[] { counts.SpuriousCancels, counts.EarlyInterruptWindows, counts.CancelStorms, counts.LateInterrupts }
                .Should().NotContain(0, "seed {0} disturbed in each way", seed);
        }
    }

    [Fact]
    public async Task Aborted_run_ends_the_machine_with_its_reason()
    {
        int aborted = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            ChaosHypervisor hypervisor = new(new EmulatorHypervisor(), new() { Seed = seed, AbortedRuns = 0.02 });
            await using Machine machine = new(hypervisor, Options(LocalApicMode.None, new()));
            MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
            if (hypervisor.Counts.AbortedRuns == 0)
            {
                outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
                continue;
            }
            aborted++;
            outcome.Kind.Should().Be(MachineOutcomeKind.Failed, "seed {0}", seed);
            outcome.Exit.Failed.Code.Should().Be(ChaosHypervisor.AbortCode);
        }
        aborted.Should().BePositive();
    }

    [Fact]
    public void Machine_on_a_host_without_memory_is_refused_and_leaves_nothing_behind()
    {
        RecordingHypervisor recording = new();
        int built = 0, refused = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            ChaosHypervisor hypervisor = new(recording, new() { Seed = seed, RefusedMemory = 0.3 });
            try
            {
                using Machine machine = new(hypervisor, Options(LocalApicMode.XApic, new()));
                built++;
            }
            catch (HypervisorException e)
            {
                e.NativeCode.Should().Be(ChaosHypervisor.AbortCode);
                refused++;
            }
        }
        built.Should().BePositive();
        refused.Should().BePositive();
        recording.Partitions.Should().HaveCount(100);
        foreach (IPartition partition in recording.Partitions)
            partition.Processors[0].Invoking(processor => processor.Run()).Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public async Task Machine_that_is_saved_amid_chaos_goes_on_elsewhere()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            ChaosOptions chaos = new() { Seed = seed, SpuriousCancels = 0.2, EarlyInterruptWindows = 0.2, ShortRuns = 0.2, CancelStorms = 0.2 };
            StringBuilder sent = new();
            MachineOptions options = Options(LocalApicMode.XApic, sent);
            using MemoryStream saved = new();
            await using (Machine machine = new(new ChaosHypervisor(new EmulatorHypervisor(), chaos), options))
            {
                using CancellationTokenSource soon = new(TimeSpan.FromMilliseconds(2 + seed));
                MachineOutcome first = await machine.RunAsync(soon.Token).WaitAsync(s_patience);
                first.Kind.Should().Be(MachineOutcomeKind.Cancelled, "twenty milliseconds of interrupts do not pass in five");
                machine.Save(saved);
            }
            saved.Position = 0;
            using SavedMachine file = new(saved);
            await using Machine restored = Machine.Restore(new ChaosHypervisor(new EmulatorHypervisor(), chaos), file, file.Description.ToOptions(options));
            MachineOutcome outcome = await restored.RunAsync().WaitAsync(s_patience);
            outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit, "seed {0}", seed);
            outcome.Value.Should().Be(Reckoned(), "seed {0}", seed);
            sent.ToString().Should().Be("calm", "seed {0}", seed);
        }
    }

    private sealed class RecordingHypervisor() : DecoratedHypervisor(new EmulatorHypervisor())
    {
        public List<IPartition> Partitions { get; } = [];

        protected override IPartition Decorate(IPartition partition)
        {
            Partitions.Add(partition);
            return partition;
        }
    }
}
