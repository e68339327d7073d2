namespace Vmm.Replay;

/// <summary>A processor on two backends at once.</summary>
internal sealed partial class LockstepProcessor(LockstepPartition partition, IVirtualProcessor first, IVirtualProcessor second) : IVirtualProcessor
{
    private int _cancel;
    private IVirtualProcessor? _running;

    public int Index => first.Index;

    public IPartition Partition => partition;

    public bool IsPending => first.IsPending && !_isHeld;

    public Span<byte> PendingData => first.PendingData;

    public int XsaveSize => first.XsaveSize;

    public ProcessorCounters Counters => first.Counters;

    public ulong this[Register register]
    {
        get => first[register];
        set
        {
            Align();
            first[register] = value;
            second[register] = value;
        }
    }

    public void CompleteRead(ulong value)
    {
        ReadOnlySpan<byte> elements = first.PendingData;
        byte[] copy = elements.ToArray();
        first.CompleteRead(value);
        Answer(new PendingAnswer { Kind = PendingAnswerKind.Read, Value = value, Elements = copy });
    }

    public void CompleteCpuid(in CpuidResult result)
    {
        first.CompleteCpuid(in result);
        Answer(new PendingAnswer { Kind = PendingAnswerKind.Cpuid, Cpuid = result });
    }

    public void CompleteWithFault()
    {
        first.CompleteWithFault();
        Answer(new PendingAnswer { Kind = PendingAnswerKind.Fault });
    }

    public void CompleteWrite(WriteResolution resolution)
    {
        first.CompleteWrite(resolution);
        Answer(new PendingAnswer { Kind = PendingAnswerKind.Write, Resolution = resolution });
    }

    public void Cancel()
    {
        Volatile.Write(ref _cancel, 1);
        Volatile.Read(ref _running)?.Cancel();
    }

    public bool WithdrawCancel() => Interlocked.Exchange(ref _cancel, 0) != 0;

    public InjectionResult Inject(in InjectedEvent injected)
    {
        Align();
        second.Inject(in injected);
        _wasInjected = true;
        return first.Inject(in injected);
    }

    public void GetRegisters(ReadOnlySpan<Register> registers, Span<ulong> values) => first.GetRegisters(registers, values);

    public void SetRegisters(ReadOnlySpan<Register> registers, ReadOnlySpan<ulong> values)
    {
        Align();
        first.SetRegisters(registers, values);
        second.SetRegisters(registers, values);
    }

    public void GetState(RegisterGroups groups, out ProcessorState state) => first.GetState(groups, out state);

    public void SetState(RegisterGroups groups, in ProcessorState state)
    {
        Align();
        first.SetState(groups, in state);
        second.SetState(groups, in state);
    }

    public ulong ReadMsr(uint msr) => first.ReadMsr(msr);

    public void WriteMsr(uint msr, ulong value)
    {
        Align();
        first.WriteMsr(msr, value);
        second.WriteMsr(msr, value);
    }

    public void GetXsave(Span<byte> area) => first.GetXsave(area);

    public void SetXsave(ReadOnlySpan<byte> area)
    {
        Align();
        first.SetXsave(area);
        if (area.Length >= second.XsaveSize)
        {
            second.SetXsave(area);
            return;
        }
        // It has components that the first has not; those are in their initial state.
        byte[] wider = new byte[second.XsaveSize];
        area.CopyTo(wider);
        second.SetXsave(wider);
    }

    public void GetLocalApic(Span<byte> page) => first.GetLocalApic(page);

    public void SetLocalApic(ReadOnlySpan<byte> page)
    {
        Align();
        first.SetLocalApic(page);
        second.SetLocalApic(page);
    }

    public LinearTranslationResult Translate(ulong linear, GuestAccess access, bool user = false) => first.Translate(linear, access, user);
}
