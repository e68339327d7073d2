using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Has the backend run a guest to its HLT, and looks whether the host's machines are well.</summary>
internal sealed class VmmHealthCheck(IServiceProvider services, string? key) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        HealthStatus failure = context.Registration.FailureStatus;
        Dictionary<string, object> data = [];
        IHypervisor hypervisor;
        try
        {
            hypervisor = services.GetRequiredKeyedService<IHypervisor>(key);
        }
        catch (Exception exception) when (exception is HypervisorUnavailableException or HypervisorException or OptionsValidationException)
        {
            return new HealthCheckResult(failure, exception.Message, exception);
        }
        data["backend"] = hypervisor.Name;
        long started = Stopwatch.GetTimestamp();
        // The guest has a time limit of its own; whoever gives up before that does not wait for it.
        ProbeResult result = await Task.Run(() => DeepProbe.Run(hypervisor), CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        data["milliseconds"] = Math.Round(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 1);
        if (!result.IsAvailable)
            return new HealthCheckResult(failure, $"The {hypervisor.Name} backend is {result}.", data: data);

        IReadOnlyList<HostedMachine> machines = services.GetKeyedService<IMachineHost>(key)?.Machines ?? [];
        foreach (HostedMachine machine in machines)
            data[$"machine {machine.Name}"] = machine.State.ToString();
        string[] failed = [.. machines.Where(machine => machine.State == HostedMachineState.Failed).Select(Describe)];
        return failed.Length == 0
            ? HealthCheckResult.Healthy($"The {hypervisor.Name} backend ran a guest to its HLT.", data)
            : new HealthCheckResult(failure, string.Join(' ', failed), machines.FirstOrDefault(machine => machine.Fault is not null)?.Fault, data);
    }

    private static string Describe(HostedMachine machine) => $"The machine {machine.Name} has failed: {(machine.Fault?.Message ?? machine.Outcome?.ToString())?.TrimEnd('.')}.";
}
