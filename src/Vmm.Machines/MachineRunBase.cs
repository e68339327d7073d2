using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>One run of a machine: what ends it, and the exits that mean the same however processors are run.</summary>
internal abstract class MachineRunBase : IDisposable
{
    /// <summary>Bytes of stack of a thread that runs processors.</summary>
    protected const int StackSize = 16 << 20;

    private MachineOutcome? _outcome;

    protected MachineRunBase(Machine machine)
    {
        Machine = machine;
        ViolatingWriteHandler? violatingWrite = machine.ViolatingWrite;
        Loops =
        [
            .. machine.Partition.Processors.Select(
                processor => new VirtualProcessorLoop(processor, machine.Ports, machine.Mmio) { ViolatingWrite = violatingWrite }),
        ];
    }

    protected Machine Machine { get; }

    /// <summary>The processors by index.</summary>
    protected VirtualProcessorLoop[] Loops { get; }

    protected bool HasEnded => Volatile.Read(ref _outcome) is not null;

    /// <summary>How it ended; null while it has not.</summary>
    protected MachineOutcome? Outcome => Volatile.Read(ref _outcome);

    /// <summary>Ends when no processor runs any more.</summary>
    protected TaskCompletionSource<MachineOutcome> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs until the guest ends the run or the token does.</summary>
    public async Task<MachineOutcome> RunAsync(CancellationToken cancellationToken)
    {
        foreach (VirtualProcessorLoop loop in Loops)
            loop.Processor.WithdrawCancel();
        Machine.Power.Requested += OnPower;
        Connect();
        try
        {
            if (Machine.Power.Pending is { } request)
                OnPower(request);
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                static state => ((MachineRunBase)state!).End(new MachineOutcome(MachineOutcomeKind.Cancelled)), this);
            Start();
            return await Completion.Task.ConfigureAwait(false);
        }
        finally
        {
            Machine.Power.Requested -= OnPower;
            Disconnect();
        }
    }

    /// <summary>Ends the run and waits for its threads, except the calling one.</summary>
    public void Stop()
    {
        End(new MachineOutcome(MachineOutcomeKind.Cancelled));
        Join();
    }

    public abstract void Dispose();

    /// <summary>Begins to listen to what may wake or limit processors.</summary>
    protected abstract void Connect();

    /// <summary>Undoes <see cref="Connect"/>.</summary>
    protected abstract void Disconnect();

    /// <summary>Starts the threads. The run may have ended already: they then touch nothing.</summary>
    protected abstract void Start();

    /// <summary>Waits for the threads that were started, except the calling one.</summary>
    protected abstract void Join();

    /// <summary>The run has its outcome, and every processor was cancelled: whoever waits for something else is to be woken.</summary>
    protected abstract void OnEnded();

    /// <summary>The first outcome stands; every processor leaves the guest.</summary>
    protected void End(MachineOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, null) is not null)
            return;
        foreach (VirtualProcessorLoop loop in Loops)
            loop.Processor.Cancel();
        OnEnded();
    }

    /// <summary>Handles an exit that is no halt or cancel: none that the machine does not know lets it go on.</summary>
    protected void Handle(int index, in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.ApicEoi:
                Machine.Interrupts.IoApic?.EndOfInterrupt(exit.ApicEoi.Vector);
                break;
            case ExitKind.InterruptWindow:
                break;
            default:
                MachineOutcomeKind kind = exit.Kind == ExitKind.Shutdown ? MachineOutcomeKind.TripleFault : MachineOutcomeKind.Failed;
                End(new MachineOutcome(kind) { Processor = index, Exit = exit, RecentExits = Loops[index].RecentExits });
                break;
        }
    }

    private void OnPower(PowerEvent request)
    {
        MachineOutcomeKind kind = request.Kind switch
        {
            PowerEventKind.Reset => MachineOutcomeKind.Reset,
            PowerEventKind.PowerOff => MachineOutcomeKind.PoweredOff,
            _ => MachineOutcomeKind.DebugExit,
        };
        End(new MachineOutcome(kind) { Value = request.Value, Source = request.Source });
    }
}
