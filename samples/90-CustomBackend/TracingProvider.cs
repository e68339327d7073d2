using Vmm;

namespace CustomBackend;

/// <summary>How catalogues find the tracer: <c>tracing</c>, or <c>tracing:behind=NAME</c>.</summary>
internal sealed class TracingProvider(Action<string> tell) : IHypervisorProvider
{
    private const string BehindKey = "behind";

    public string Name => "tracing";

    public string DisplayName => "Tracer in front of another backend";

    public IReadOnlyCollection<string> OptionKeys => [BehindKey];

    /// <summary>Only for who asks for it by name.</summary>
    public bool IsAutomatic => false;

    public ProbeResult Probe() => ProbeResult.Available;

    public IHypervisor Create(HypervisorOptions options) =>
        new TracingHypervisor(Hypervisors.Create(options.TryGetValue(BehindKey, out string? behind) ? behind : "auto"), tell);
}
