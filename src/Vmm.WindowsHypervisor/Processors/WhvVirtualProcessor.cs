using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

/// <summary>
/// A virtual processor of the platform: its run loop. Instructions that the platform only reports are finished by the instruction assist.
/// </summary>
internal sealed unsafe partial class WhvVirtualProcessor : VirtualProcessorBase, IDisposable
{
    private const int PollMilliseconds = 1;

    private readonly WhvPartition _partition;
    private readonly WhvPlatform _platform;
    private readonly WhvScratch _scratch = new();
    private readonly AssistedInstruction _assist;
    private readonly Lock _life = new();
    private readonly Timer? _poll;
    private readonly bool _hasPendingDebug; // the first releases keep no debug trap between runs
    private uint _pendingTrap; // kept here instead
    private bool _closed;
    private bool _halted;

    public WhvVirtualProcessor(WhvPartition partition, int index)
        : base(partition, index)
    {
        _partition = partition;
        _platform = partition.Platform;
        _xsaveSize = XsaveArea.SizeFor(partition.Model);
        _assist = new AssistedInstruction(new Assisted(this), partition.Model);
        _hasPendingDebug = TryReadWord(WhvRegisterName.PendingDebugException, out _);
        // With its own local APIC the platform never tells when an external interrupt can be delivered.
        if (partition.HasLocalApic)
            _poll = new Timer(static processor => ((WhvVirtualProcessor)processor!).RequestExitCore(), this, Timeout.Infinite, Timeout.Infinite);
    }

    private nint Handle => _partition.Handle;

    private uint Number => (uint)Index;

    /// <summary>No cancel reaches the platform any more: the processor is about to be deleted.</summary>
    public void Close()
    {
        lock (_life)
            _closed = true;
        _poll?.Dispose();
    }

    /// <summary>Frees what the processor holds of its own; it is deleted.</summary>
    public void Dispose()
    {
        _assist.Dispose();
        _scratch.Free();
    }

    /// <summary>Power-on state, wherever the platform's own differs (its CS base is 0xF0000).</summary>
    public void Reset()
    {
        _halted = _hasStepped = false;
        _portPending = false;
        _assist.Abandon();
        ResetState();
    }

    // A cancel of a processor that does not run is kept by the platform for its next run, which then ends at once: the loop goes on.
    protected override void RequestExitCore()
    {
        lock (_life)
        {
            if (!_closed)
                _platform.Api.CancelRunVirtualProcessor(Handle, Number, 0);
        }
    }

    protected override void NotifyEventCore() => RequestExitCore();

    protected override void RunCore(out VpExit exit)
    {
        if ((_portPending || _assist.IsPending) && !FinishPending(out exit))
            return;
        while (true)
        {
            if ((_hasStepped || _assist.Assist.HasHostHit) && TakeDebugStop(out exit))
                return;
            bool resting = _steps && IsAtRest;
            if (_steps && !resting)
            {
                if (!Step(out exit))
                    return;
                continue;
            }
            if (_pendingTrap != 0)
                DeliverPendingTrap();
            Interruptible possible = Interruptible.None;
            bool waiting = EventsWaiting && !TryDeliver(out possible);
            if (_halted)
            {
                exit = new VpExit(ExitKind.Halt, ReadOne(WhvRegisterName.Rip).Reg64);
                return;
            }
            if (waiting)
                WaitForWindow(possible);
            else if (resting)
                _poll?.Change(PollMilliseconds, Timeout.Infinite); // what woke it is stepped through soon after
            WhvRunVpExitContext* context = _scratch.Exit;
            int result = _platform.Api.RunVirtualProcessor(Handle, Number, context, (uint)sizeof(WhvRunVpExitContext));
            if (result < 0)
            {
                exit = new VpExit(new FailedExit { Code = (uint)result });
                return;
            }
            if (Translate(context, out exit))
                return;
        }
    }
}
