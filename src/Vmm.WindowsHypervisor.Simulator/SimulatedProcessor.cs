using System.Buffers.Binary;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>
/// A simulated virtual processor: runs the one behind it and reports its exits as the platform does, with instructions left as they were.
/// </summary>
internal sealed unsafe partial class SimulatedProcessor
{
    private readonly SimulatedPartition _partition;
    private readonly IVirtualProcessor _inner;
    private readonly byte[] _xsave;
    private int _running;
    private int _cancel;

    public SimulatedProcessor(SimulatedPartition partition, IVirtualProcessor inner)
    {
        _partition = partition;
        _inner = inner;
        _xsave = new byte[inner.XsaveSize];
        _window = inner as IInterruptWindow;
        ResetLikeThePlatform();
    }

    /// <summary>Between the beginning and the end of a call that runs it or looks at it.</summary>
    public bool IsRunning => Volatile.Read(ref _running) != 0;

    private SimulatedPlatform Platform => _partition.Platform;

    /// <summary>Runs until an exit.</summary>
    public int Run(WhvRunVpExitContext* context, uint size)
    {
        if (context is null || size < sizeof(WhvRunVpExitContext))
            return WhvHResult.InvalidArgument;
        if (Interlocked.Exchange(ref _running, 1) != 0)
            return WhvHResult.InvalidVpState;
        try
        {
            _partition.Thaw();
            // What an exit does not define must not be relied on.
            new Span<byte>(context, sizeof(WhvRunVpExitContext)).Fill(0xCC);
            if (Interlocked.Exchange(ref _cancel, 0) != 0 || Platform.Chance(50))
                Report(context, WhvRunVpExitReason.Canceled);
            else if (!IsAcceptable)
                Report(context, WhvRunVpExitReason.InvalidVpRegisterValue);
            else
                RunInner(context);
            return WhvHResult.Ok;
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    /// <summary>Ends the current run, or else the next.</summary>
    public int Cancel(uint flags)
    {
        if (flags != 0)
            return WhvHResult.InvalidArgument;
        Volatile.Write(ref _cancel, 1);
        _inner.Cancel();
        return WhvHResult.Ok;
    }

    private bool IsAcceptable
    {
        get
        {
            _inner.GetState(RegisterGroups.All, out ProcessorState state);
            return EntryCheck.Accepts(in state);
        }
    }

    private void RunInner(WhvRunVpExitContext* context)
    {
        Resume();
        InjectPending();
        using Timer? poll = StartWindow();
        while (true)
        {
            VpExit exit = _inner.Run();
            if (exit.Kind == ExitKind.InterruptWindow)
            {
                ReportWindow(context);
                return;
            }
            if (exit.Kind == ExitKind.Exception && !_partition.Exits(exit.Exception.Vector))
            {
                _inner.Inject(new InjectedEvent
                {
                    Kind = InjectedEventKind.Exception, Vector = exit.Exception.Vector, HasErrorCode = exit.Exception.HasErrorCode,
                    ErrorCode = exit.Exception.ErrorCode, Payload = exit.Exception.Payload,
                });
                continue;
            }
            if (exit.Kind != ExitKind.Cancelled || Interlocked.Exchange(ref _cancel, 0) != 0)
            {
                Translate(context, in exit);
                return;
            }
            if (IsWindowOpen())
            {
                ReportWindow(context);
                return;
            }
        }
    }

    // The processor's own power-on state: everything architectural but the base of CS.
    private void ResetLikeThePlatform()
    {
        _inner.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = state.Segments.Cs with { Base = 0xF_0000 };
        _inner.SetState(RegisterGroups.Segments, in state);
        if (_partition.HasLocalApic)
            ResetLocalApic();
    }

    // No firmware has been at it: disabled by software, all local vectors masked.
    private void ResetLocalApic()
    {
        const int SpuriousVector = 0xF0, FirstLocalVector = 0x320, LastLocalVector = 0x370;
        byte[] page = new byte[ApicBytes];
        _inner.GetLocalApic(page);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(SpuriousVector), 0xFF);
        for (int offset = FirstLocalVector; offset <= LastLocalVector; offset += 16)
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), 1 << 16);
        _inner.SetLocalApic(page);
    }

    // Without a local APIC the platform keeps no halted state: a run goes on behind the HLT.
    private void Resume()
    {
        if (_partition.HasLocalApic)
            return;
        _inner.GetState(RegisterGroups.Events, out ProcessorState state);
        if (state.Events.Activity != ProcessorActivity.Halted)
            return;
        state.Events.Activity = ProcessorActivity.Running;
        _inner.SetState(RegisterGroups.Events, in state);
    }
}
