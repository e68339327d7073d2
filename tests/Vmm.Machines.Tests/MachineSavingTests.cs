using System.Buffers.Binary;
using System.Text;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Machines saved and restored on the emulator. The oracle is the guest: it goes on as if nothing had been.</summary>
public sealed class MachineSavingTests
{
    private const int Seed = 190_733;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _sent = new();

    private MachineOptions Options(LocalApicMode localApic, SlatFormat format = SlatFormat.Ept) => new()
    {
        MemorySize = 8 << 20,
        LocalApic = localApic,
        SlatFormat = format,
        HasSerialInput = true,
        DebugExitPort = 0xF4,
        SerialOutput = data =>
        {
            lock (_sent)
                _sent.Append(Encoding.Latin1.GetString(data));
        },
    };

    // Counts timer interrupts in EBX, keeps a text in memory, and waits for a byte on the serial port; then prints text and byte, and
    // leaves.
    private static byte[] Guest() => EmulatedGuest.Build(guest =>
    {
        guest.InitializeInterruptControllers(0xFE, 0xFF);
        guest.SetHandler(0x20, () =>
        {
            guest.inc(ebx);
            guest.push(eax);
            guest.push(edx);
            guest.Out(0x20, 0x20);
            guest.pop(edx);
            guest.pop(eax);
            guest.iretd();
        });
        guest.Out(0x43, 0x34);
        guest.Out(0x40, 0xA9);
        guest.Out(0x40, 0x04); // 1 ms
        guest.mov(__dword_ptr[0x30_0000], 0x6B657074); // "tpek"
        guest.xor(ebx, ebx);
        guest.sti();
        guest.Out(0x3F8, '>');
        Iced.Intel.Label wait = guest.CreateLabel();
        guest.Label(ref wait);
        guest.hlt();
        guest.mov(dx, 0x3FD);
        guest.@in(al, dx);
        guest.test(al, 1);
        guest.je(wait);
        guest.mov(dx, 0x3F8);
        guest.@in(al, dx);
        guest.@out(dx, al);
        guest.mov(eax, __dword_ptr[0x30_0000]);
        guest.@out(dx, al);
        guest.shr(eax, 8);
        guest.@out(dx, al);
        guest.Out(0xF4, 0x2A);
    });

    private async Task<byte[]> SaveAtPromptAsync(
        LocalApicMode localApic, SlatFormat format = SlatFormat.Ept, CpuProfile? profile = null)
    {
        await using Machine machine = new(new EmulatorHypervisor(), Options(localApic, format) with { Image = new KernelImage(Guest()), CpuProfile = profile });
        using CancellationTokenSource stop = new();
        Task<MachineOutcome> run = machine.RunAsync(stop.Token);
        while (!Sent.Contains('>'))
            await Task.Delay(5);
        await Task.Delay(30);
        machine.Invoking(m => m.Save(Stream.Null)).Should().Throw<InvalidOperationException>();
        stop.Cancel();
        (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
        MemoryStream saved = new();
        machine.Save(saved);
        return saved.ToArray();
    }

    private string Sent
    {
        get
        {
            lock (_sent)
                return _sent.ToString();
        }
    }

    private Machine Restore(byte[] saved, SlatFormat format = SlatFormat.Ept)
    {
        using SavedMachine file = new(new MemoryStream(saved));
        return Machine.Restore(new EmulatorHypervisor(), file, file.Description.ToOptions(Options(LocalApicMode.None, format)));
    }

    [Theory]
    [InlineData(LocalApicMode.None, SlatFormat.Ept, SlatFormat.Npt)]
    [InlineData(LocalApicMode.XApic, SlatFormat.Npt, SlatFormat.Ept)]
    [InlineData(LocalApicMode.XApic, SlatFormat.Ept, SlatFormat.None)]
    public async Task Guest_goes_on_in_another_machine(LocalApicMode localApic, SlatFormat before, SlatFormat after)
    {
        byte[] saved = await SaveAtPromptAsync(localApic, before);
        await using Machine machine = Restore(saved, after);
        machine.Partition.Processors[0].GetState(RegisterGroups.General, out ProcessorState state);
        ulong ticks = state.General.Rbx;
        ticks.Should().BeGreaterThan(5);
        _sent.Clear();
        Task<MachineOutcome> run = machine.RunAsync();
        await Task.Delay(50);
        machine.Serial.Receive("!"u8);
        MachineOutcome outcome = await run.WaitAsync(s_patience);
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(0x2A);
        Sent.Should().Be("!tp");
        machine.Partition.Processors[0].GetState(RegisterGroups.General, out state);
        state.General.Rbx.Should().BeGreaterThan(ticks + 10);
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Restored_machine_saves_to_the_same_bytes(LocalApicMode localApic)
    {
        byte[] saved = await SaveAtPromptAsync(localApic);
        using Machine machine = Restore(saved, SlatFormat.Npt);
        MemoryStream again = new();
        machine.Save(again);
        again.ToArray().Should().Equal(saved);
    }

    [Fact]
    public async Task File_appears_whole_or_not_at_all()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic);
        using Machine machine = Restore(saved);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("vmm-save-");
        try
        {
            string path = Path.Combine(folder.FullName, "state");
            List<SaveProgress> progress = [];
            machine.Save(path, new Collector(progress));
            File.ReadAllBytes(path).Should().Equal(saved);
            progress.Should().HaveCount(8);
            progress[^1].Should().Be(new SaveProgress(8 << 20, 8 << 20));
            File.WriteAllText(path, "before");
            using CancellationTokenSource cancelled = new();
            cancelled.Cancel();
            machine.Invoking(m => m.Save(path, null, cancelled.Token)).Should().Throw<OperationCanceledException>();
            File.ReadAllText(path).Should().Be("before");
            folder.GetFiles().Should().ContainSingle();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Machine_of_other_make_is_refused()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic);
        using SavedMachine file = new(new MemoryStream(saved));
        MachineOptions options = file.Description.ToOptions(Options(LocalApicMode.None));
        Refused(options with { MemorySize = 16 << 20 }, "*bytes of RAM*");
        Refused(options with { CpuProfile = CpuProfiles.V2 }, "*this partition*");
        Refused(options with { Virtio = new VirtioOptions { HasEntropy = false } }, "*virtio*");

        void Refused(MachineOptions other, string message)
        {
            using SavedMachine again = new(new MemoryStream(saved));
            FluentActions.Invoking(() => Machine.Restore(new EmulatorHypervisor(), again, other).Dispose())
                .Should().Throw<SavedStateException>().WithMessage(message);
        }
    }

    [Fact]
    public async Task Guest_keeps_its_clocks_and_is_refused_others()
    {
        CpuProfile fast = CpuProfiles.V1.WithClocks(2_450_000_000, 24_000_000);
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic, profile: fast);
        using SavedMachine file = new(new MemoryStream(saved));
        MachineOptions options = file.Description.ToOptions(Options(LocalApicMode.None));
        using Machine machine = Machine.Restore(new EmulatorHypervisor(), file, options);
        machine.Partition.CpuProfile!.TimeStampCounterFrequency.Should().Be(2_450_000_000);
        machine.Partition.CpuProfile!.ApicTimerFrequency.Should().Be(24_000_000);
        using SavedMachine again = new(new MemoryStream(saved));
        options = options with { CpuProfile = CpuProfiles.V1 };
        FluentActions.Invoking(() => Machine.Restore(new EmulatorHypervisor(), again, options).Dispose())
            .Should().Throw<SavedStateException>().WithMessage("*TSC frequency is 2450000000 Hz*1000000000 Hz here*");
        using SavedMachine third = new(new MemoryStream(saved));
        using Machine other = Machine.Restore(new EmulatorHypervisor(), third, options, new() { AllowOtherClocks = true });
    }

    [Fact]
    public async Task Guest_that_was_admitted_where_more_is_shown_is_saved_with_what_it_was_promised()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic);
        using SavedMachine file = new(new MemoryStream(saved));
        MachineOptions options = file.Description.ToOptions(Options(LocalApicMode.None)) with { CpuProfile = CpuProfiles.V3 };
        MemoryStream second = new();
        using (Machine machine = Machine.Restore(new EmulatorHypervisor(), file, options, new() { AllowSupersetCpuid = true }))
            machine.Save(second);
        using Machine back = Restore(second.ToArray());
        back.Partition.Options.CpuProfile!.Name.Should().Be("v1");
    }

    [Fact]
    public async Task Restoring_tells_how_far_it_is_and_ends_at_the_whole()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic);
        using SavedMachine file = new(new MemoryStream(saved));
        List<SaveProgress> progress = [];
        MachineOptions options = file.Description.ToOptions(Options(LocalApicMode.None));
        Machine.Restore(new EmulatorHypervisor(), file, options, null, new Collector(progress)).Dispose();
        progress.Select(step => step.Done).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        progress.Should().HaveCountGreaterThan(1);
        progress[^1].Should().Be(new SaveProgress(8 << 20, 8 << 20));
    }

    [Fact]
    public async Task Client_s_own_device_is_there_in_time_to_be_restored()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.None);
        CountingDevice first = new() { Count = 41 }, second = new();
        MemoryStream withDevice = new();
        using (SavedMachine plain = new(new MemoryStream(saved)))
        {
            MachineOptions options = plain.Description.ToOptions(Options(LocalApicMode.None));
            using Machine machine = Machine.Restore(new EmulatorHypervisor(), plain, options);
            first.AddTo(machine);
            machine.Save(withDevice);
        }
        withDevice.Position = 0;
        using SavedMachine file = new(withDevice);
        MachineOptions with = file.Description.ToOptions(Options(LocalApicMode.None)) with { AddDevices = second.AddTo };
        using Machine restored = Machine.Restore(new EmulatorHypervisor(), file, with);
        restored.Ports.Read(0x500, 1).Should().Be(41);
        second.Count.Should().Be(42);
    }

    [Fact]
    public async Task Device_without_saved_state_keeps_the_machine_from_being_saved()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.None);
        using Machine machine = Restore(saved);
        machine.Ports.Register(0x500, 1, new ForgetfulDevice(), "forgetful device");
        machine.Invoking(m => m.Save(Stream.Null)).Should().Throw<NotSupportedException>().WithMessage("*forgetful device*");
    }

    [Fact]
    public async Task Damaged_and_truncated_files_are_refused()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic);
        Random random = new(Seed);
        for (int round = 0; round < 80; round++)
        {
            byte[] damaged = round % 2 == 0 ? saved[..random.Next(saved.Length)] : (byte[])saved.Clone();
            if (damaged.Length == saved.Length)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            FluentActions.Invoking(() => Restore(damaged).Dispose()).Should().Throw<SavedStateException>("seed {0}, round {1}", Seed, round);
        }
        FluentActions.Invoking(() => Restore([.. saved, 0]).Dispose()).Should().Throw<SavedStateException>().WithMessage("*after its end*");
    }

    [Fact]
    public async Task Hostile_files_with_right_checksums_are_refused_or_taken_without_harm()
    {
        byte[] saved = await SaveAtPromptAsync(LocalApicMode.XApic);
        List<(int Start, int Length)> chunks = Chunks(saved);
        Random random = new(Seed);
        int refused = 0;
        for (int round = 0; round < 120; round++)
        {
            byte[] hostile = (byte[])saved.Clone();
            (int start, int length) = chunks[random.Next(chunks.Count)];
            for (int change = random.Next(1, 4); change > 0 && length > 0; change--)
            {
                int at = start + 16 + random.Next(length);
                if (random.Next(3) == 0)
                    BinaryPrimitives.WriteUInt32LittleEndian(hostile.AsSpan(Math.Min(at, hostile.Length - 4)), (uint)random.NextInt64());
                else
                    hostile[at] = (byte)random.Next();
            }
            BinaryPrimitives.WriteUInt32LittleEndian(
                hostile.AsSpan(start + 12), SavedMachineFormat.Checksum(hostile.AsSpan(start, 12), hostile.AsSpan(start + 16, length)));
            try
            {
                await using Machine machine = Restore(hostile);
                using CancellationTokenSource soon = new(TimeSpan.FromMilliseconds(3));
                await machine.RunAsync(soon.Token).WaitAsync(s_patience);
            }
            catch (Exception e) when (e is SavedStateException or ArgumentException or NotSupportedException)
            {
                e.Message.Should().NotBeEmpty("seed {0}, round {1}", Seed, round);
                refused++;
            }
        }
        refused.Should().BeGreaterThan(10);
    }

    [Fact]
    public void Other_files_and_versions_are_refused()
    {
        Refused([], "*not a saved machine*");
        Refused(new byte[100], "*not a saved machine*");
        byte[] later = new byte[32];
        "VMMSAVE\x1A"u8.CopyTo(later);
        later[8] = 2;
        Refused(later, "*checksum*");
        BinaryPrimitives.WriteUInt32LittleEndian(later.AsSpan(12), SavedMachineFormat.Checksum(later.AsSpan(0, 12)));
        Refused(later, "*version 2*");

        static void Refused(byte[] content, string message) =>
            FluentActions.Invoking(() => new SavedMachine(new MemoryStream(content))).Should().Throw<SavedStateException>().WithMessage(message);
    }

    [Fact]
    public void Checksum_is_crc_32c()
    {
        // The check value of the catalogue of parametrised CRC algorithms.
        SavedMachineFormat.Checksum("123456789"u8).Should().Be(0xE306_9283);
        SavedMachineFormat.Checksum("1234"u8, "56789"u8).Should().Be(0xE306_9283);
    }

    private static List<(int Start, int Length)> Chunks(byte[] saved)
    {
        List<(int, int)> chunks = [];
        for (int at = 16; at < saved.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(saved.AsSpan(at + 4));
            chunks.Add((at, length));
            at += 16 + length;
        }
        return chunks;
    }

    private sealed class Collector(List<SaveProgress> reports) : IProgress<SaveProgress>
    {
        public void Report(SaveProgress value) => reports.Add(value);
    }

    private sealed class ForgetfulDevice : IPortDevice
    {
        public uint Read(ushort port, int size) => 0;

        public void Write(ushort port, int size, uint value)
        {
        }
    }

    private sealed class CountingDevice : IPortDevice, ISaveableDevice
    {
        private uint _count;

        public uint Count
        {
            get => _count;
            init => _count = value;
        }

        public string StateKind => "counter";

        public int StateVersion => 1;

        public void AddTo(Machine machine)
        {
            machine.Ports.Register(0x500, 1, this, "counter");
            machine.Saveable.Add("counter", this);
        }

        public uint Read(ushort port, int size) => _count++;

        public void Write(ushort port, int size, uint value)
        {
        }

        public void ExchangeState(DeviceStateExchange state) => state.Value("Count", ref _count);
    }
}
