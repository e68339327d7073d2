using System.Diagnostics;

namespace Vmm.Conformance;

/// <summary>Runs cases against a backend, one after the other, each with fresh partitions, on a thread of its own, under a
/// watchdog.</summary>
public static class ConformanceRunner
{
    /// <summary>Runs the cases the options name.</summary>
    /// <exception cref="ArgumentException">A format is named that the backend does not declare.</exception>
    public static ConformanceReport Run(IHypervisor hypervisor, ConformanceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        options ??= new ConformanceOptions();
        SlatFormat?[] formats = Formats(hypervisor.Capabilities, options.SlatFormats);
        List<CaseResult> results = [];
        foreach (ConformanceCase conformanceCase in options.Cases)
        {
            if (!string.IsNullOrEmpty(options.Filter) && !conformanceCase.Id.Contains(options.Filter, StringComparison.OrdinalIgnoreCase))
                continue;
            foreach (SlatFormat? format in formats)
            {
                CaseResult result = RunCase(hypervisor, conformanceCase, format, options);
                results.Add(result);
                options.Progress?.Invoke(result);
                if (options.StopAtFirstFailure && result.Outcome == CaseOutcome.Failed)
                    return new ConformanceReport(hypervisor.Name, hypervisor.Capabilities, results) { CpuProfile = options.CpuProfile?.Name };
            }
        }
        return new ConformanceReport(hypervisor.Name, hypervisor.Capabilities, results) { CpuProfile = options.CpuProfile?.Name };
    }

    /// <summary>The formats that a run without a choice of its own goes through.</summary>
    public static IReadOnlyList<SlatFormat?> DefaultFormats(HypervisorCapabilities capabilities)
    {
        ArgumentNullException.ThrowIfNull(capabilities);
        return Formats(capabilities, null);
    }

    /// <summary>Runs one case.</summary>
    public static CaseResult RunCase(
        IHypervisor hypervisor, ConformanceCase conformanceCase, SlatFormat? slatFormat = null, ConformanceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        ArgumentNullException.ThrowIfNull(conformanceCase);
        options ??= new ConformanceOptions();
        Stopwatch clock = Stopwatch.StartNew();
        Capability? missing = conformanceCase.Requires.FirstOrDefault(capability => !hypervisor.Capabilities.Has(capability));
        ConformanceContext context = new(hypervisor, slatFormat, options.CpuProfile);
        string refusal = "";
        if (missing is null && AbsentQuirk.Find(hypervisor.Capabilities, conformanceCase) is { } quirk)
            return new CaseResult(conformanceCase, slatFormat, CaseOutcome.Absent, clock.Elapsed) { Message = AbsentQuirk.Explain(quirk) };
        CaseAttempt attempt = new(context, missing is null ? conformanceCase.Run : c => refusal = AbsentCapability.Verify(c, missing));
        TimeSpan timeout = conformanceCase.Timeout ?? options.Timeout;
        bool late = !attempt.Wait(timeout);
        bool abandoned = false;
        if (late)
        {
            context.CancelAll();
            abandoned = !attempt.Wait(options.Grace);
        }
        CaseResult result = new(conformanceCase, slatFormat, CaseOutcome.Passed, clock.Elapsed);
        if (late)
        {
            string end = abandoned ? "it did not return when its guests were cancelled, and its thread was abandoned"
                : "its guests were cancelled";
            return result with
            {
                Outcome = CaseOutcome.Failed,
                Message = $"Not finished after {timeout.TotalSeconds:0.#} s; {end}. {attempt.Error?.Message}".TrimEnd(),
                Diagnostics = attempt.Diagnostics ?? context.Describe(),
                Abandoned = abandoned,
            };
        }
        return attempt.Error switch
        {
            null when missing is null => result,
            null => result with { Outcome = CaseOutcome.Absent, Message = AbsentQuirk.Explain(hypervisor.Capabilities, missing, refusal) },
            CaseSkippedException skipped => result with { Outcome = CaseOutcome.Skipped, Message = skipped.Message },
            ConformanceFailureException failure => Fail(failure.Message),
            Exception error => Fail($"{error.GetType().Name}: {error.Message}{Environment.NewLine}{error.StackTrace}"),
        };

        CaseResult Fail(string message) =>
            result with { Outcome = CaseOutcome.Failed, Message = message, Diagnostics = attempt.Diagnostics ?? "" };
    }

    private static SlatFormat?[] Formats(HypervisorCapabilities capabilities, IReadOnlyList<SlatFormat>? wanted)
    {
        if (!capabilities.Has(Capability.SlatFormatChoice))
        {
            return wanted is null or [] ? [null]
                : throw new ArgumentException(
                    $"The {capabilities.Backend} backend does not let one choose the format of nested page tables.", nameof(wanted));
        }
        if (wanted is null or [])
            return [.. capabilities.SlatFormats.Where(format => format != SlatFormat.None).Select(format => (SlatFormat?)format)];
        foreach (SlatFormat format in wanted)
        {
            if (!capabilities.SlatFormats.Contains(format))
                throw new ArgumentException($"The {capabilities.Backend} backend does not declare the format {format}.", nameof(wanted));
        }
        return [.. wanted.Select(format => (SlatFormat?)format)];
    }
}
