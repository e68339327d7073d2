using System.Diagnostics;
using Vmm.Differential.Cases;
using Vmm.Differential.Emulated;

namespace Vmm.Differential.Running;

/// <summary>Runs cases over all workers.</summary>
internal static class DifferentialRun
{
    /// <summary>Runs them all.</summary>
    /// <param name="options">Which.</param>
    /// <param name="progress">Told how many are done, now and then.</param>
    /// <exception cref="ArgumentException">No encoding matches the filter.</exception>
    public static RunReport Run(RunOptions options, Action<long>? progress = null)
    {
        Encoding[] encodings = Choose(options);
        RunReport report = new(options, encodings);
        long next = 0;
        Stopwatch clock = Stopwatch.StartNew();
        Exception? failure = null;
        Thread[] threads = new Thread[options.Workers];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                try
                {
                    using Worker worker = new(options, report, encodings);
                    worker.Run(Take);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    failure = e;
                    Interlocked.Exchange(ref next, options.Cases);
                }
            }) { IsBackground = true };
            threads[i].Start();
        }

        foreach (Thread thread in threads)
            thread.Join();
        report.Elapsed = clock.Elapsed;
        return failure == null ? report : throw new InvalidOperationException("a worker failed: " + failure.Message, failure);

        (long First, int Count) Take()
        {
            long first = Interlocked.Add(ref next, CaseLayout.BatchCases) - CaseLayout.BatchCases;
            long count = Math.Clamp(options.Cases - first, 0, CaseLayout.BatchCases);
            if (first / 250_000 != (first + count) / 250_000)
                progress?.Invoke(first + count);
            return (options.First + first, (int)count);
        }
    }

    /// <summary>Runs one case and describes it.</summary>
    public static string Explain(RunOptions options, ulong number)
    {
        Encoding[] encodings = Choose(options);
        using Worker worker = new(options, new RunReport(options, encodings), encodings);
        return worker.Explain(number);
    }

    private static Encoding[] Choose(RunOptions options)
    {
        Encoding[] encodings = InstructionSource.Choose(EmulatedModel.Model, options.Filter);
        return encodings.Length != 0 ? encodings
            : throw new ArgumentException($"no encoding's name contains '{options.Filter}'", nameof(options));
    }
}
