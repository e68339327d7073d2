namespace Vmm.Testing;

/// <summary>A processor that plays a script of exits and writes down how they were completed. After the last step it is halted.</summary>
public sealed partial class ScriptedProcessor : VirtualProcessorBase
{
    private readonly List<ScriptedStep> _script = [];
    private readonly object _gate = new();
    private bool _wake;
    private int _current = -1;

    internal ScriptedProcessor(ScriptedPartition partition, int index)
        : base(partition, index) => ResetState();

    /// <summary>The steps; may grow while the processor is at rest.</summary>
    public IList<ScriptedStep> Script => _script;

    /// <summary>Steps played so far.</summary>
    public int Played => _current + 1;

    /// <summary>The completions received, in order.</summary>
    public IList<ScriptedCompletion> Completions { get; } = new List<ScriptedCompletion>();

    /// <summary>The events delivered, in order.</summary>
    public IList<InjectedEvent> Delivered { get; } = new List<InjectedEvent>();

    /// <summary>Appends steps.</summary>
    public ScriptedProcessor Play(params ReadOnlySpan<ScriptedStep> steps)
    {
        foreach (ScriptedStep step in steps)
            _script.Add(step);
        return this;
    }

    /// <summary>Starts the script again from its first step; the records stay.</summary>
    public void Rewind() => _current = -1;

    /// <inheritdoc/>
    protected override Interruptible InterruptibleCore =>
        (!_events.NmiBlocked && _events.Shadow != InterruptibilityShadow.MovSs ? Interruptible.Nmi : Interruptible.None)
        | ((_state.General.Rflags & InterruptFlag) != 0 && _events.Shadow == InterruptibilityShadow.None ? Interruptible.Maskable : Interruptible.None);

    /// <inheritdoc/>
    protected override Span<byte> PendingDataCore => _script[_current].Data;

    /// <inheritdoc/>
    protected override void NotifyEventCore() => Wake();

    /// <inheritdoc/>
    protected override void RequestExitCore() => Wake();

    /// <inheritdoc/>
    protected override void RunCore(out VpExit exit)
    {
        bool delivered = false;
        while (EventsWaiting && TryTakeEvent(InterruptibleCore, out InjectedEvent taken))
        {
            Delivered.Add(taken);
            _events.Activity = ProcessorActivity.Running;
            delivered = true;
        }
        int next = _current + 1;
        if (next < _script.Count && _script[next].Waits)
        {
            if (!delivered)
            {
                Sleep();
                exit = default;
                return;
            }
            _current = next++;
        }
        if (next >= _script.Count)
        {
            _events.Activity = ProcessorActivity.Halted;
            exit = new(ExitKind.Halt);
            return;
        }
        exit = Play(next);
    }

    /// <inheritdoc/>
    protected override bool CompletePendingCore(out VpExit exit)
    {
        exit = default;
        if (!_script[_current].Continues || _current + 1 >= _script.Count)
            return true;
        exit = Play(_current + 1);
        return false;
    }

    /// <inheritdoc/>
    protected override void CompleteReadCore(in VpExit exit, ulong value)
    {
        int size = exit.Kind switch
        {
            ExitKind.PortIo => exit.PortIo.Size,
            ExitKind.Mmio => exit.Mmio.Size,
            _ => 8,
        };
        Completions.Add(new() { Step = _current, Kind = ScriptedCompletionKind.Read, Value = value & (ulong.MaxValue >> (64 - (8 * size))) });
    }

    /// <inheritdoc/>
    protected override void CompleteCpuidCore(in CpuidResult result) =>
        Completions.Add(new() { Step = _current, Kind = ScriptedCompletionKind.Cpuid, Cpuid = result });

    /// <inheritdoc/>
    protected override void CompleteWithFaultCore() => Completions.Add(new() { Step = _current, Kind = ScriptedCompletionKind.Fault });

    /// <inheritdoc/>
    protected override void CompleteWriteCore(WriteResolution resolution) =>
        Completions.Add(new() { Step = _current, Kind = ScriptedCompletionKind.Write, Resolution = resolution });

    private VpExit Play(int index)
    {
        _current = index;
        ScriptedStep step = _script[index];
        for (int i = 0; i < step.Registers.Count; i++)
            _state.SetRegister(step.Registers[i].Register, step.Registers[i].Value);
        return step.Exit;
    }

    private void Wake()
    {
        lock (_gate)
        {
            _wake = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Sleep()
    {
        lock (_gate)
        {
            while (!_wake)
                Monitor.Wait(_gate);
            _wake = false;
        }
    }
}
