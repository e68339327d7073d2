using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>Loses cancels of a processor at rest.</summary>
internal sealed class CancelLost(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    private int _runs;

    public override void Cancel()
    {
        if (Volatile.Read(ref _runs) != 0)
            base.Cancel();
    }

    public override VpExit Run()
    {
        Interlocked.Increment(ref _runs);
        try
        {
            return base.Run();
        }
        finally
        {
            Interlocked.Decrement(ref _runs);
        }
    }
}

/// <summary>Returns each cancel twice.</summary>
internal sealed class CancelTwice(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    private bool _again;

    public override VpExit Run()
    {
        if (_again)
        {
            _again = false;
            return new VpExit(ExitKind.Cancelled);
        }
        VpExit exit = base.Run();
        _again = exit.Kind == ExitKind.Cancelled;
        return exit;
    }
}

/// <summary>Forgets a cancel when another exit comes first.</summary>
internal sealed class CancelForgotten(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    public override CompletionStatus CompletePending(out VpExit exit)
    {
        CompletionStatus status = base.CompletePending(out exit);
        WithdrawCancel();
        return status;
    }
}

/// <summary>Leaves RIP at HLT.</summary>
internal sealed class RipAtHalt(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    private bool _halted;

    public override ulong this[Register register]
    {
        get => base[register] - (_halted && register == Register.Rip ? 1UL : 0);
        set => base[register] = value;
    }

    public override VpExit Run()
    {
        VpExit exit = base.Run();
        _halted = exit.Kind == ExitKind.Halt;
        return exit;
    }
}

/// <summary>Cuts completed reads to 16 bits.</summary>
internal sealed class CompletionTruncated(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    public override void CompleteRead(ulong value) => base.CompleteRead(value & 0xFFFF);
}

/// <summary>Lets a second runner in, without an error.</summary>
internal sealed class SecondRunnerAdmitted(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    private int _runners;

    public override VpExit Run()
    {
        try
        {
            return Interlocked.Increment(ref _runners) == 1 ? base.Run() : new VpExit(ExitKind.Cancelled);
        }
        finally
        {
            Interlocked.Decrement(ref _runners);
        }
    }
}

/// <summary>Reports one element too many for string port accesses.</summary>
internal sealed class StringCountWrong(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    public override VpExit Run()
    {
        VpExit exit = base.Run();
        return exit.Kind == ExitKind.PortIo && exit.PortIo.IsString ? new VpExit(exit.PortIo with { Count = exit.PortIo.Count + 1 },
            exit.Rip) : exit;
    }
}

/// <summary>Drops an injection instead of refusing it when the place is occupied.</summary>
internal sealed class InjectionDropped(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    public override InjectionResult Inject(in InjectedEvent injected)
    {
        try
        {
            return base.Inject(in injected);
        }
        catch (InvalidOperationException)
        {
            return InjectionResult.Deferred;
        }
    }
}

/// <summary>Answers refused writes with Discard whatever was chosen.</summary>
internal sealed class WriteAlwaysDiscarded(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    public override void CompleteWrite(WriteResolution resolution) =>
        base.CompleteWrite(resolution == WriteResolution.Perform ? WriteResolution.Discard : resolution);
}

/// <summary>Gives the low half of XMM registers alone.</summary>
internal sealed class XmmHalved(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
{
    public override void GetXsave(Span<byte> area)
    {
        base.GetXsave(area);
        for (int i = 0; i < 16; i++)
            area.Slice(160 + (16 * i) + 8, 8).Clear();
    }
}
