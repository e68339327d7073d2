using Spectre.Console;

namespace Vmm.Tool;

/// <summary>Tables and progress bars on a given writer.</summary>
internal static class TextConsole
{
    private const int PlainWidth = 132;

    /// <summary>Makes a console; one that is no terminal gets plain text of a fixed width.</summary>
    public static IAnsiConsole Create(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!isTerminal)
            console.Profile.Width = PlainWidth;
        return console;
    }
}
