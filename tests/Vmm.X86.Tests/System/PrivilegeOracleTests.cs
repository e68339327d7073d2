using System.Text;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>
/// Runs a guest that tries every selector, gate and flag pattern through the privileged instructions, here and in QEMU, and compares what
/// it prints: vector, error code and the whole state after each case.
/// </summary>
public sealed unsafe class PrivilegeOracleTests
{
    private const ulong LoadAddress = 0x10_0000;

    [SkippableTheory]
    [InlineData("protected")]
    [InlineData("long")]
    public void Guest_sees_what_another_emulator_shows(string image)
    {
        OutsideTool.Require("nasm", "nasm", "nasm");
        OutsideTool.Require("qemu", "qemu-system-x86_64", "qemu-system-x86");
        string folder = Directory.CreateTempSubdirectory("vmm-oracle").FullName;
        try
        {
            string source = Path.Combine(AppContext.BaseDirectory, "System", "Images", image + ".asm");
            string binary = Path.Combine(folder, "image.bin");
            string printed = Path.Combine(folder, "printed.txt");
            OutsideTool.Run("nasm", "nasm", null, "nasm", "-f", "bin", source, "-o", binary);
            Task<string> ours = Task.Run(() => RunGuest(File.ReadAllBytes(binary)));
            (int status, string said) = OutsideTool.Try(
                "qemu", "qemu-system-x86", null, "qemu-system-x86_64", "-accel", "tcg", "-display", "none", "-no-reboot", "-m", "64", "-cpu", "max", "-kernel", binary, "-debugcon",
                    "file:" + printed,
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4");
            status.Should().Be(0x21, said);

            string[] expected = File.ReadAllLines(printed);
            string[] actual = ours.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries);

            Differences(expected, actual).Should().BeEmpty();
            expected.Length.Should().BeGreaterThan(1000);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Differences(string[] expected, string[] actual)
    {
        StringBuilder text = new();
        Dictionary<string, int> families = [];
        for (int i = 0; i < Math.Max(expected.Length, actual.Length); i++)
        {
            string wanted = i < expected.Length ? expected[i] : "(end)", got = i < actual.Length ? actual[i] : "(end)";
            if (wanted == got)
                continue;
            string family = wanted.Split(' ')[0];
            families[family] = families.GetValueOrDefault(family) + 1;
            if (families[family] <= 2)
                text.Append("\n- ").Append(wanted).Append("\n+ ").Append(got);
        }
        foreach ((string family, int count) in families)
            text.Append("\nfamily ").Append(family).Append(": ").Append(count).Append(" differences");
        if (text.Length != 0)
            text.Append("\nlast: ").Append(actual.LastOrDefault());
        return text.ToString();
    }

    private static string RunGuest(byte[] image)
    {
        using TestProcessor cpu = new(Models.With(CpuFeature.Sse2));
        VcpuState* s = cpu.S;
        cpu.Poke(LoadAddress, image);
        s->Cr0 = 0x11;
        for (int i = 0; i < 6; i++)
        {
            cpu.Segment(i) = new SegmentRegister { Selector = (ushort)(i == SegmentIndex.Cs ? 8 : 16), Limit = uint.MaxValue,
                Attributes = i == SegmentIndex.Cs ? 0xC09BU : 0xC093U };
        }
        s->General[0] = 0x2BAD_B002;
        s->Rip = BitConverter.ToUInt32(image, 28);
        cpu.UpdateMode();
        StringBuilder printed = new();
        int silent = 0;
        while (true)
        {
            RunResult result = cpu.Execute(10_000_000);
            silent++;
            switch (result)
            {
                case RunResult.Fault:
                    cpu.QueueFault();
                    cpu.DeliverEvent();
                    break;
                case RunResult.DebugTrap:
                    cpu.QueueDebugTrap();
                    cpu.DeliverEvent();
                    break;
                case RunResult.Exit when cpu.Request.Kind == ExternalRequestKind.PortWrite && cpu.Request.Address == 0xF4:
                    return printed.ToString();
                case RunResult.Exit when cpu.Request.Kind == ExternalRequestKind.PortWrite:
                    if (cpu.Request.Address == 0xE9)
                    {
                        printed.Append((char)(byte)cpu.Request.Value);
                        silent = 0;
                    }
                    cpu.Answer();
                    break;
                case RunResult.Exit when cpu.Request.Kind is ExternalRequestKind.PortRead or ExternalRequestKind.MmioRead:
                    cpu.Answer(0);
                    break;
                default:
                    break;
            }
            if (silent > 100 || result is RunResult.Budget or RunResult.Idle || s->Activity != Activity.Running)
                return $"{printed}\n(stopped: {result}, {s->Activity}, RIP {s->Rip:X}, fault {cpu.Fault})";
        }
    }
}
