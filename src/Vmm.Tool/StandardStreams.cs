using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Vmm.Tool;

/// <summary>Where the tool reads and writes: the process's own streams, or those of a test.</summary>
/// <param name="Input">Standard input, raw bytes.</param>
/// <param name="Output">Standard output, raw bytes: the guest's serial port.</param>
/// <param name="Text">Standard output as text: reports that were asked for.</param>
/// <param name="Error">Standard error as text: everything of the tool's own.</param>
/// <param name="IsTerminal">Input and output are a terminal.</param>
internal sealed record StandardStreams(Stream Input, Stream Output, TextWriter Text, TextWriter Error, bool IsTerminal)
{
    /// <summary><see cref="Text"/> is a terminal, whatever the input is.</summary>
    public bool IsTextTerminal { get; init; }

    /// <summary><see cref="Error"/> is a terminal.</summary>
    public bool IsErrorTerminal { get; init; }

    /// <summary>The process's own.</summary>
    public static StandardStreams Process { get; } = FromProcess();

    private static StandardStreams FromProcess()
    {
        UTF8Encoding encoding = new(false);
        return new StandardStreams(
            OpenInput(),
            Console.OpenStandardOutput(),
            new StreamWriter(Console.OpenStandardOutput(), encoding) { AutoFlush = true },
            new StreamWriter(Console.OpenStandardError(), encoding) { AutoFlush = true },
            !Console.IsInputRedirected && !Console.IsOutputRedirected)
        {
            IsTextTerminal = !Console.IsOutputRedirected, IsErrorTerminal = !Console.IsErrorRedirected,
        };
    }

    // On Unix the console's own stream reads whole lines of a terminal and echoes them: bytes must come as they are typed.
    private static Stream OpenInput() => OperatingSystem.IsWindows()
        ? Console.OpenStandardInput()
        : new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 1);
}
