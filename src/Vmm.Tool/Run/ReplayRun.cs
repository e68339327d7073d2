using System.Diagnostics;
using System.Globalization;
using Vmm.Devices;
using Vmm.Replay;

namespace Vmm.Tool.Run;

/// <summary>Replays a recorded run: no devices but the serial port's output, which the guest's own writes make anew.</summary>
internal static class ReplayRun
{
    private const ushort SerialPort = 0x3F8;
    private const int SerialPorts = 8;

    public static int Execute(RunSettings settings, StandardStreams streams)
    {
        IHypervisor hypervisor = Backends.Create(settings.Backend);
        if (!hypervisor.Capabilities.Has(Capability.VirtualTime))
            throw new UsageException($"--replay: the {hypervisor.Capabilities.Backend} backend cannot count time in instructions.");
        string file = settings.Replay!;
        using Recording recording = RecordFile.Read(file);
        using RunStatistics? statistics = settings.Statistics is { } path ? RunStatistics.Open(path, streams.Error) : null;
        using SerialTarget serial = SerialTarget.Open(settings.Serial, streams);
        using Uart16550 port = new(SerialPort, new VirtualClock(DateTimeOffset.UnixEpoch), new NoLine(), serial.Write);
        using CancellationTokenSource timeout = new();
        if (settings.Timeout is { } limit)
            timeout.CancelAfter(limit);
        try
        {
            using Replayer replayer = new(hypervisor, recording, settings.SlatFormat)
            {
                Exited = (IVirtualProcessor processor, in VpExit exit) => Send(port, processor, in exit),
            };
            Stopwatch watch = Stopwatch.StartNew();
            ReplayResult result = replayer.Run(timeout.Token);
            statistics?.Write(replayer.Partition, null, watch.Elapsed);
            return Report(result, recording, replayer.Partition, settings, streams.Error);
        }
        catch (Exception e) when (e is RecordingException or NotSupportedException or HypervisorException)
        {
            throw new UsageException($"--replay {file}: {e.Message}", e);
        }
    }

    private static int Report(ReplayResult result, Recording recording, IPartition partition, RunSettings settings, TextWriter error)
    {
        if (result.Divergence is { } divergence)
        {
            error.WriteLine($"vmm: {divergence}.");
            ProcessorDump.Write(partition, Math.Max(divergence.Processor, 0), [], error);
            return ExitStatus.Diverged;
        }
        if (result.IsCancelled)
        {
            error.WriteLine($"vmm: the replay did not end within {settings.Timeout?.TotalSeconds} s.");
            return ExitStatus.Timeout;
        }
        error.WriteLine($"vmm: replayed to the end, with nothing different: {result.Operations} operations, {result.Time} ns of counted time.");
        return recording.Notes.TryGetValue(RecordFile.StatusNote, out string? text) && byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte status)
            ? status
            : ExitStatus.Success;
    }

    // What the port sends follows from what the guest writes to it, whatever it read there.
    private static void Send(Uart16550 port, IVirtualProcessor processor, in VpExit exit)
    {
        if (exit.Kind != ExitKind.PortIo || exit.PortIo is not { IsWrite: true, Port: >= SerialPort and < SerialPort + SerialPorts } access)
            return;
        if (!access.IsString)
        {
            port.Write(access.Port, access.Size, (uint)access.Value);
            return;
        }
        ReadOnlySpan<byte> elements = processor.PendingData;
        for (int offset = 0; offset + access.Size <= elements.Length; offset += access.Size)
        {
            uint value = 0;
            for (int i = 0; i < access.Size; i++)
                value |= (uint)elements[offset + i] << (i * 8);
            port.Write(access.Port, access.Size, value);
        }
    }

    private sealed class NoLine : IInterruptLine
    {
        public void Set(bool level)
        {
        }
    }
}
