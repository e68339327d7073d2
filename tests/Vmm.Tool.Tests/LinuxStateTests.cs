using System.Diagnostics;
using System.Text;
using Vmm.Machines;

namespace Vmm.Tool.Tests;

/// <summary>Debian's kernel in machines that are saved and restored, and that repeat.</summary>
public sealed class LinuxStateTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private static MachineOptions Options(string commandLine, int processors, SlatFormat format, Terminal terminal) => new()
    {
        Image = new KernelImage(File.ReadAllBytes(DebianGuest.Kernel))
        {
            CommandLine = $"console=ttyS0 quiet panic=-1 reboot=k {commandLine}",
            Modules = [new BootModule(DebianGuest.InitialRamDisk(), "initramfs")],
        },
        ProcessorCount = processors,
        SlatFormat = format,
        SerialOutput = terminal.Write,
    };

    [SkippableTheory]
    [InlineData(1, SlatFormat.Ept, SlatFormat.Npt)]
    [InlineData(2, SlatFormat.Npt, SlatFormat.Ept)]
    public async Task Shell_goes_on_in_another_process_with_the_other_nested_tables(int processors, SlatFormat before, SlatFormat after)
    {
        DebianGuest.Require();
        Terminal terminal = new();
        string saved = Path.Combine(Path.GetTempPath(), $"vmm-state-{Guid.NewGuid():N}");
        try
        {
            MachineOptions options = Options("end=shell", processors, before, terminal) with { HasSerialInput = true };
            await using (Machine machine = new(Hypervisors.Emulator(), options))
            {
                using CancellationTokenSource stop = new();
                Task<MachineOutcome> run = machine.RunAsync(stop.Token);
                await terminal.WaitForAsync("# ", run);
                await machine.ReceiveAsync("X=kept; echo file > /tmp/f; echo is-$((40+2))\n"u8.ToArray());
                await terminal.WaitForAsync("is-42", run);
                stop.Cancel();
                (await run).Kind.Should().Be(MachineOutcomeKind.Cancelled);
                machine.Save(saved);
            }
            // A process of its own has nothing but the file.
            using Process tool = Process.Start(new ProcessStartInfo(
                "dotnet",
                [
                    Path.Combine(AppContext.BaseDirectory, "Vmm.Tool.dll"), "run", "--backend", "emulator", "--restore", saved, "--slat", after == SlatFormat.Ept ? "ept" : "npt",
                    "--timeout", "240",
                ])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true,
            })!;
            tool.StandardInput.Write("echo $X-$(cat /tmp/f)-$(grep -c ^processor /proc/cpuinfo)=; sleep 1; echo slept-$((6*7)); poweroff -f\n");
            tool.StandardInput.Flush();
            string said = await tool.StandardOutput.ReadToEndAsync();
            await tool.WaitForExitAsync();
            said.Should().Contain($"kept-file-{processors}=").And.Contain("slept-42");
            tool.ExitCode.Should().Be(0, "the guest switched itself off");
        }
        finally
        {
            File.Delete(saved);
        }
    }

    [SkippableFact]
    public async Task Two_deterministic_runs_on_two_processors_are_the_same()
    {
        DebianGuest.Require();
        Task<(string Output, ulong First, ulong Second)>[] runs = [RunAsync(), RunAsync()];
        (string Output, ulong First, ulong Second) expected = await runs[0];
        expected.Output.Should().Contain("GUEST: done");
        expected.Second.Should().BeGreaterThan(1_000_000);
        (await runs[1]).Should().Be(expected);

        static async Task<(string, ulong, ulong)> RunAsync()
        {
            Terminal terminal = new();
            MachineOptions options = Options("work=hello end=reboot", 2, SlatFormat.Ept, terminal) with { Deterministic = new() };
            await using Machine machine = new(Hypervisors.Emulator(), options);
            MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
            outcome.Kind.Should().Be(MachineOutcomeKind.Reset, "{0}", terminal.Text);
            IReadOnlyList<IVirtualProcessor> processors = machine.Partition.Processors;
            return (terminal.Text, processors[0].Counters.Instructions, processors[1].Counters.Instructions);
        }
    }

    private sealed class Terminal
    {
        private readonly StringBuilder _text = new();

        public string Text
        {
            get
            {
                lock (_text)
                    return _text.ToString();
            }
        }

        public void Write(ReadOnlySpan<byte> data)
        {
            lock (_text)
                _text.Append(Encoding.Latin1.GetString(data));
        }

        public async Task WaitForAsync(string wanted, Task run)
        {
            using CancellationTokenSource patience = new(s_patience);
            while (!Text.Contains(wanted, StringComparison.Ordinal))
            {
                run.IsCompleted.Should().BeFalse("the guest shall go on; it said {0}", Text);
                patience.IsCancellationRequested.Should().BeFalse("'{0}' should have come; the guest said {1}", wanted, Text);
                await Task.Delay(20);
            }
        }
    }
}
