using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Makes, starts and stops the machines of one <c>AddVmm</c>.</summary>
internal sealed class MachineHost(IServiceProvider services, string? key) : IMachineHost, IHostedService, IAsyncDisposable
{
    private readonly ILogger _logger = LoggerFactoryOf(services).CreateLogger<IMachineHost>();
    private volatile HostedMachine[] _machines = [];
    private volatile bool _isStopping;

    public IReadOnlyList<HostedMachine> Machines => _machines;

    public HostedMachine this[string name]
    {
        get
        {
            HostedMachine[] machines = _machines;
            return Array.Find(machines, machine => string.Equals(machine.Name, name, StringComparison.OrdinalIgnoreCase)) ?? throw new ArgumentException(
                machines.Length == 0
                    ? $"There is no machine '{name}': there are none, or the host has not started."
                    : $"There is no machine '{name}'; there are {string.Join(", ", machines.Select(machine => machine.Name))}.", nameof(name));
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        MachineHostOptions options = services.GetRequiredService<IOptionsMonitor<MachineHostOptions>>().Get(key ?? Options.DefaultName);
        if (options.Machines.Count == 0)
            return;
        IHypervisor hypervisor = services.GetRequiredKeyedService<IHypervisor>(key);
        _machines = [.. options.Machines.OrderBy(machine => machine.Key, StringComparer.OrdinalIgnoreCase).Select(machine => new HostedMachine(PlanOf(options, machine.Key, machine.Value), hypervisor))];
        try
        {
            // None runs before all are made: a wrong setting of the last must not leave the first half started.
            foreach (HostedMachine machine in _machines)
                await machine.MakeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await StopAllAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
            throw;
        }
        foreach (HostedMachine machine in _machines)
            machine.Start();
        if (options.StopHostWhenDone)
            _ = StopHostWhenDoneAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        int running = _machines.Count(machine => machine.State == HostedMachineState.Running);
        if (running != 0)
            HostingLog.Stopping(_logger, running);
        await StopAllAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        await StopAllAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
    }

    private static ILoggerFactory LoggerFactoryOf(IServiceProvider services) => services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;

    private MachinePlan PlanOf(MachineHostOptions options, string name, HostedMachineOptions settings) => new()
    {
        Name = name,
        Path = MachineHostOptionsValidator.PathOf(options, name),
        Settings = settings,
        Finish = options.Finishes.GetValueOrDefault(name),
        Services = services,
        LoggerFactory = LoggerFactoryOf(services),
        Time = services.GetService<TimeProvider>() ?? TimeProvider.System,
    };

    private Task StopAllAsync(CancellationToken cancellationToken) => Task.WhenAll(_machines.Select(machine => machine.StopAsync(cancellationToken)));

    private async Task StopHostWhenDoneAsync()
    {
        await Task.WhenAll(_machines.Select(machine => machine.Completion)).ConfigureAwait(false);
        if (_isStopping || services.GetService<IHostApplicationLifetime>() is not { } lifetime)
            return;
        // A host that is told to stop while it starts takes that for a failed start.
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using (lifetime.ApplicationStarted.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), started))
        using (lifetime.ApplicationStopping.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), started))
            await started.Task.ConfigureAwait(false);
        if (_isStopping)
            return;
        HostingLog.AllEnded(_logger);
        lifetime.StopApplication();
    }
}
