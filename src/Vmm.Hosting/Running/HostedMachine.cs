using Microsoft.Extensions.Logging;
using Vmm.Machines;

namespace Vmm;

/// <summary>A machine that a host owns.</summary>
/// <remarks>All members may be called from any thread.</remarks>
#pragma warning disable CA1001 // a source without a timer holds nothing to free
public sealed class HostedMachine
#pragma warning restore CA1001
{
    // A guest that resets at once must not keep the host busy with it.
    private static readonly TimeSpan ShortestRun = TimeSpan.FromSeconds(1);

    // A run that was told to end does so in microseconds, unless a device of the client's hangs.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private static readonly Func<ILogger, string, IDisposable?> MachineScope = LoggerMessage.DefineScope<string>("machine {Machine}");

    private readonly MachinePlan _plan;
    private readonly IHypervisor _hypervisor;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _powerOff = new();
    private volatile MachineAssembly? _assembly;
    private volatile bool _isStopping;
    private int _state;
    private Task _work = Task.CompletedTask;

    internal HostedMachine(MachinePlan plan, IHypervisor hypervisor)
    {
        _plan = plan;
        _hypervisor = hypervisor;
        _logger = plan.LoggerFactory.CreateLogger<IMachineHost>();
    }

    /// <summary>Its name in the configuration.</summary>
    public string Name => _plan.Name;

    /// <summary>What it is doing.</summary>
    public HostedMachineState State
    {
        get => (HostedMachineState)Volatile.Read(ref _state);
        private set => Volatile.Write(ref _state, (int)value);
    }

    /// <summary>The machine; another one after each start, null before the first and after the last.</summary>
    public Machine? Machine => _assembly?.Machine;

    /// <summary>How its last run ended; null before that.</summary>
    public MachineOutcome? Outcome { get; private set; }

    /// <summary>What went wrong in the monitor; null as long as nothing did.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>How often it was started.</summary>
    public int Starts => _plan.Starts;

    /// <summary>Completes when it has ended for good, however; never fails.</summary>
    public Task Completion => _work;

    /// <summary>Makes the machine; it does not run yet.</summary>
    internal async Task MakeAsync(CancellationToken cancellationToken) =>
        _assembly = await MachineAssembly.MakeAsync(_plan, _hypervisor, cancellationToken).ConfigureAwait(false);

    /// <summary>Lets it run.</summary>
    internal void Start()
    {
        HostingLog.Starting(_logger, Name, _hypervisor.Name);
        _plan.Starts = 1;
        State = HostedMachineState.Running;
        _work = Task.Run(WorkAsync);
    }

    /// <summary>Stops it: the power button, then the power.</summary>
    /// <param name="cancellationToken">Ends the patience with the guest.</param>
    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        if (!_work.IsCompleted && _assembly is { } assembly)
            await assembly.Machine.ShutDownAsync(_plan.Settings.ShutdownTimeout, _plan.Time, cancellationToken).ConfigureAwait(false);
        await _powerOff.CancelAsync().ConfigureAwait(false);
        try
        {
            await _work.WaitAsync(Grace, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            State = HostedMachineState.Failed;
            Fault = exception;
            HostingLog.Failed(_logger, Name, "a processor or a device does not come to an end", exception);
            return;
        }
        await FreeAsync().ConfigureAwait(false);
    }

    private async Task WorkAsync()
    {
#pragma warning disable CA1031 // whatever it is, it is this machine's end and not the host's
        try
        {
            State = await RunToTheEndAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_isStopping)
        {
            State = HostedMachineState.Stopped;
        }
        catch (Exception exception)
        {
            Fault = exception;
            State = HostedMachineState.Failed;
            HostingLog.Failed(_logger, Name, exception.Message, exception);
        }
#pragma warning restore CA1031
        await FreeAsync().ConfigureAwait(false);
    }

    private async Task<HostedMachineState> RunToTheEndAsync()
    {
        while (true)
        {
            long started = _plan.Time.GetTimestamp();
            MachineOutcome outcome;
            using (MachineScope(_logger, Name))
                outcome = await _assembly!.Machine.RunAsync(_powerOff.Token).ConfigureAwait(false);
            Outcome = outcome;
            bool hasFailed = outcome.Kind is MachineOutcomeKind.TripleFault or MachineOutcomeKind.Failed;
            if (hasFailed)
                HostingLog.Failed(_logger, Name, outcome.ToString(), null);
            else
                HostingLog.Ended(_logger, Name, outcome.ToString());
            if (_isStopping || outcome.Kind == MachineOutcomeKind.Cancelled)
                return HostedMachineState.Stopped;
            bool again = _plan.Settings.Restart == MachineRestart.Always
                || (_plan.Settings.Restart == MachineRestart.OnReset && outcome.Kind == MachineOutcomeKind.Reset);
            if (!again)
                return hasFailed ? HostedMachineState.Failed : HostedMachineState.Ended;
            await FreeAsync().ConfigureAwait(false);
            TimeSpan rest = ShortestRun - _plan.Time.GetElapsedTime(started);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, _plan.Time, _powerOff.Token).ConfigureAwait(false);
            HostingLog.StartingAgain(_logger, Name, ++_plan.Starts);
            await MakeAsync(_powerOff.Token).ConfigureAwait(false);
        }
    }

    private async Task FreeAsync()
    {
        MachineAssembly? assembly = _assembly;
        _assembly = null;
        if (assembly is not null)
            await assembly.DisposeAsync().ConfigureAwait(false);
    }
}
