using System.Text;
using Vmm.Emulator;

namespace Vmm.Machines.Tests;

/// <summary>A machine with firmware, its serial port and debug console as text, and someone who answers what it asks.</summary>
internal sealed class Conversation : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly StringBuilder _serial = new();
    private readonly StringBuilder _console = new();
    private readonly Machine _machine;

    public Conversation(string rom, Func<FirmwareImage, FirmwareImage>? with = null, Func<MachineOptions, MachineOptions>? having = null)
    {
        FirmwareImage firmware = new(File.ReadAllBytes(rom)) { Name = rom, DebugConsole = data => Add(_console, data) };
        MachineOptions options = new()
        {
            Firmware = with is null ? firmware : with(firmware),
            MemorySize = 128 << 20,
            SerialOutput = data => Add(_serial, data),
            HasSerialInput = true,
        };
        _machine = new Machine(new EmulatorHypervisor(), having is null ? options : having(options));
    }

    public Machine Machine => _machine;

    public string Serial => TextOf(_serial);

    public string Console => TextOf(_console);

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    /// <summary>
    /// Runs until a text has come, on the serial port or the debug console, or the machine ends; types the answer to each question as it
    /// comes, in their order.
    /// </summary>
    public async Task<MachineOutcome> RunUntilAsync(string? text, TimeSpan patience, params (string Question, string Answer)[] answers)
    {
        using CancellationTokenSource ending = new(patience);
        Task<MachineOutcome> run = _machine.RunAsync(ending.Token);
        int answered = 0, from = 0;
        while (!run.IsCompleted)
        {
            string serial = Serial;
            int at = answered < answers.Length ? serial.IndexOf(answers[answered].Question, from, StringComparison.Ordinal) : -1;
            if (at >= 0)
            {
                from = at + answers[answered].Question.Length;
                await _machine.Serial.ReceiveAsync(Encoding.ASCII.GetBytes(answers[answered++].Answer), ending.Token);
                continue;
            }
            bool hasCome = text is not null && answered == answers.Length
                && (serial.IndexOf(text, from, StringComparison.Ordinal) >= 0 || Console.Contains(text));
            if (hasCome)
                await ending.CancelAsync();
            else
                await Task.WhenAny(run, Task.Delay(20));
        }
        return await run;
    }

    private void Add(StringBuilder text, ReadOnlySpan<byte> data)
    {
        lock (_gate)
            text.Append(Encoding.Latin1.GetString(data));
    }

    private string TextOf(StringBuilder text)
    {
        lock (_gate)
            return text.ToString();
    }
}
