namespace Vmm.Testing;

/// <summary>A processor in front of another one, forwarding everything.</summary>
/// <param name="partition">The decorated partition.</param>
/// <param name="inner">The processor behind.</param>
public class DecoratedProcessor(DecoratedPartition partition, IVirtualProcessor inner) : IVirtualProcessor
{
    /// <summary>The processor behind.</summary>
    public IVirtualProcessor Inner { get; } = inner ?? throw new ArgumentNullException(nameof(inner));

    /// <inheritdoc/>
    public IPartition Partition { get; } = partition ?? throw new ArgumentNullException(nameof(partition));

    /// <inheritdoc/>
    public virtual int Index => Inner.Index;

    /// <inheritdoc/>
    public virtual bool IsPending => Inner.IsPending;

    /// <inheritdoc/>
    public virtual Span<byte> PendingData => Inner.PendingData;

    /// <inheritdoc/>
    public virtual int XsaveSize => Inner.XsaveSize;

    /// <inheritdoc/>
    public virtual ProcessorCounters Counters => Inner.Counters;

    /// <inheritdoc/>
    public virtual DebugControl Debugging
    {
        get => Inner.Debugging;
        set => Inner.Debugging = value;
    }

    /// <inheritdoc/>
    public virtual ulong this[Register register]
    {
        get => Inner[register];
        set => Inner[register] = value;
    }

    /// <inheritdoc/>
    public virtual VpExit Run() => Inner.Run();

    /// <inheritdoc/>
    public virtual CompletionStatus CompletePending(out VpExit exit) => Inner.CompletePending(out exit);

    /// <inheritdoc/>
    public virtual void CompleteRead(ulong value) => Inner.CompleteRead(value);

    /// <inheritdoc/>
    public virtual void CompleteCpuid(in CpuidResult result) => Inner.CompleteCpuid(in result);

    /// <inheritdoc/>
    public virtual void CompleteWithFault() => Inner.CompleteWithFault();

    /// <inheritdoc/>
    public virtual void CompleteWrite(WriteResolution resolution) => Inner.CompleteWrite(resolution);

    /// <inheritdoc/>
    public virtual void Cancel() => Inner.Cancel();

    /// <inheritdoc/>
    public virtual bool WithdrawCancel() => Inner.WithdrawCancel();

    /// <inheritdoc/>
    public virtual InjectionResult Inject(in InjectedEvent injected) => Inner.Inject(in injected);

    /// <inheritdoc/>
    public virtual void GetRegisters(ReadOnlySpan<Register> registers, Span<ulong> values) => Inner.GetRegisters(registers, values);

    /// <inheritdoc/>
    public virtual void SetRegisters(ReadOnlySpan<Register> registers, ReadOnlySpan<ulong> values) => Inner.SetRegisters(registers, values);

    /// <inheritdoc/>
    public virtual void GetState(RegisterGroups groups, out ProcessorState state) => Inner.GetState(groups, out state);

    /// <inheritdoc/>
    public virtual void SetState(RegisterGroups groups, in ProcessorState state) => Inner.SetState(groups, in state);

    /// <inheritdoc/>
    public virtual ulong ReadMsr(uint msr) => Inner.ReadMsr(msr);

    /// <inheritdoc/>
    public virtual void WriteMsr(uint msr, ulong value) => Inner.WriteMsr(msr, value);

    /// <inheritdoc/>
    public virtual void GetXsave(Span<byte> area) => Inner.GetXsave(area);

    /// <inheritdoc/>
    public virtual void SetXsave(ReadOnlySpan<byte> area) => Inner.SetXsave(area);

    /// <inheritdoc/>
    public virtual void GetLocalApic(Span<byte> page) => Inner.GetLocalApic(page);

    /// <inheritdoc/>
    public virtual void SetLocalApic(ReadOnlySpan<byte> page) => Inner.SetLocalApic(page);

    /// <inheritdoc/>
    public virtual LinearTranslationResult Translate(ulong linear, GuestAccess access, bool user = false) => Inner.Translate(linear, access, user);
}
