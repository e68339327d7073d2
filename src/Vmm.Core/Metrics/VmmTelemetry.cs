namespace Vmm;

/// <summary>Names under which Vmm publishes its metrics and activities, for telemetry libraries.</summary>
/// <remarks>
/// <code>
/// Sdk.CreateMeterProviderBuilder().AddMeter(VmmTelemetry.MeterName);
/// Sdk.CreateTracerProviderBuilder().AddSource(VmmTelemetry.ActivitySourceName);
/// </code>
/// Nothing is counted or traced per exit for it: instruments read counters that are kept anyway, when they are asked.
/// </remarks>
public static class VmmTelemetry
{
    /// <summary>Name of the <see cref="System.Diagnostics.Metrics.Meter"/>.</summary>
    public const string MeterName = "Vmm";

    /// <summary>Name of the <see cref="System.Diagnostics.ActivitySource"/>.</summary>
    public const string ActivitySourceName = "Vmm";
}
