using System.CommandLine;
using System.CommandLine.Help;
using Vmm.Tool.Conformance;
using Vmm.Tool.Doctor;
using Vmm.Tool.Probe;
using Vmm.Tool.Run;

namespace Vmm.Tool;

/// <summary>The command <c>vmm</c>.</summary>
internal static class Program
{
    public static int Main(string[] arguments) => Invoke(arguments, StandardStreams.Process);

    /// <summary>Runs the command with given streams; what tests call.</summary>
    public static int Invoke(IReadOnlyList<string> arguments, StandardStreams streams)
    {
        // No RootCommand: that one is called after the process, which is not always vmm.
        Command root = new("vmm", "vmm: run guests, examine backends, prove conformance.")
        {
            new HelpOption(),
            new VersionOption(),
            RunCommand.Create(streams),
            DoctorCommand.Create(streams),
            ConformanceCommand.Create(streams),
            MatrixCommand.Create(streams),
            ProbeCommand.Create(streams),
        };
        // A file whose name begins with '@' is an operand like any other.
        ParseResult parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count != 0)
        {
            // A word that is no command says more than that a command is missing.
            string[] unknown = [.. parsed.UnmatchedTokens];
            if (parsed.CommandResult.Command == root && unknown.Length != 0)
                streams.Error.WriteLine($"vmm: There is no command or option '{unknown[0]}'.");
            else
            {
                foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
                    streams.Error.WriteLine($"vmm: {error.Message}");
            }
            string command = parsed.CommandResult.Command == root ? "vmm" : $"vmm {parsed.CommandResult.Command.Name}";
            streams.Error.WriteLine($"vmm: '{command} --help' lists what there is.");
            return ExitStatus.Usage;
        }
        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = streams.Text,
                Error = streams.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (UsageException e)
        {
            streams.Error.WriteLine($"vmm: {e.Message}");
            return ExitStatus.Usage;
        }
        catch (HypervisorUnavailableException e)
        {
            streams.Error.WriteLine($"vmm: {e.Message}");
            return ExitStatus.Unavailable;
        }
#pragma warning disable CA1031 // the last place that can say anything: a fault of ours has a status of its own
        catch (Exception e)
#pragma warning restore CA1031
        {
            streams.Error.WriteLine($"vmm: this should not have happened, please report it: {e}");
            return ExitStatus.Fault;
        }
    }
}
