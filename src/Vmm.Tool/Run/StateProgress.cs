using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>Shows how far saving or restoring has come: a bar on a terminal, else a line now and then where it takes long.</summary>
internal static class StateProgress
{
    private static readonly TimeSpan s_lineInterval = TimeSpan.FromSeconds(2);

    /// <summary>Does the work and shows its progress.</summary>
    /// <param name="what">What is done, for instance "saving FILE".</param>
    /// <param name="error">Where to show it.</param>
    /// <param name="isTerminal">It is a terminal that nothing else writes to meanwhile.</param>
    /// <param name="work">The work.</param>
    public static void Show(string what, TextWriter error, bool isTerminal, Action<IProgress<SaveProgress>> work)
    {
        if (!isTerminal)
        {
            work(new Lines(what, error));
            return;
        }
        TextConsole.Create(error, true).Progress().AutoClear(true).Start(context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(what));
            work(new Bar(task));
        });
    }

    private static double Percent(SaveProgress progress) => progress.Total == 0 ? 100 : 100.0 * progress.Done / progress.Total;

    private sealed class Bar(ProgressTask task) : IProgress<SaveProgress>
    {
        public void Report(SaveProgress value) => task.Value = Percent(value);
    }

    private sealed class Lines(string what, TextWriter error) : IProgress<SaveProgress>
    {
        private long _last = Stopwatch.GetTimestamp();

        public void Report(SaveProgress value)
        {
            if (Stopwatch.GetElapsedTime(_last) < s_lineInterval)
                return;
            _last = Stopwatch.GetTimestamp();
            // A terminal may be in raw mode: it needs the carriage return.
            error.Write(string.Create(CultureInfo.InvariantCulture, $"vmm: {what}: {Percent(value):0} %\r\n"));
        }
    }
}
