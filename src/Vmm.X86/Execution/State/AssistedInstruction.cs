using System.Buffers.Binary;

namespace Vmm.X86.Execution;

/// <summary>
/// An instruction that a backend's platform left to us: run in the assist, with what it needs from outside turned into exits of the
/// contract, and their answers taken.
/// </summary>
/// <remarks>
/// <see cref="Start"/> runs the instruction at RIP. While <see cref="IsPending"/>, complete it by the members named like those of
/// <see cref="IVirtualProcessor"/>, then call <see cref="Continue"/>. The processor's state changes only when the instruction is finished.
/// Used by the thread that owns the processor.
/// </remarks>
public sealed class AssistedInstruction : IDisposable
{
    private readonly byte[] _element = new byte[sizeof(uint)];
    private bool _answered;
    private byte _elementSize;

    /// <summary>Makes one for a processor.</summary>
    /// <param name="processor">The processor, as the backend sees it.</param>
    /// <param name="model">What its CPUID shows.</param>
    public AssistedInstruction(IAssistedProcessor processor, CpuidModel model) => Assist = new InstructionAssist(processor, model);

    /// <summary>The interpreter.</summary>
    public InstructionAssist Assist { get; }

    /// <summary>An exit was made, and the instruction waits to be continued.</summary>
    public bool IsPending { get; private set; }

    /// <summary>Instructions finished so far, those among them that ended in an exception of the guest's included.</summary>
    public ulong Finished { get; private set; }

    /// <summary>The element of a pending string port access; empty for other exits.</summary>
    public Span<byte> PendingData => _element.AsSpan(0, _elementSize);

    /// <summary>Runs the instruction at RIP.</summary>
    /// <returns>True: finished, its state given back. False: an exit for the client.</returns>
    public bool Start(out VpExit exit)
    {
        Assist.Begin();
        return Step(out exit);
    }

    /// <summary>Delivers an event through the guest's tables, without an instruction.</summary>
    /// <returns>As <see cref="Start"/>.</returns>
    public bool StartDelivery(in InjectedEvent injected, out VpExit exit)
    {
        Assist.Begin();
        EventKind kind = injected.Kind switch
        {
            InjectedEventKind.ExternalInterrupt => EventKind.ExternalInterrupt,
            InjectedEventKind.NonMaskableInterrupt => EventKind.NonMaskableInterrupt,
            _ => EventKind.HardwareException,
        };
        Assist.QueueEvent(kind, injected.Vector, injected.HasErrorCode ? injected.ErrorCode : null, injected.Payload);
        return Step(out exit);
    }

    /// <summary>Goes on after an exit. A write that the client did not decide about is taken as made.</summary>
    /// <returns>True: finished, its state given back. False: a further exit of the same instruction.</returns>
    public bool Continue(out VpExit exit)
    {
        if (!_answered)
            Assist.Answer();
        return Step(out exit);
    }

    /// <summary>Forgets a pending instruction: the processor is reset.</summary>
    public void Abandon()
    {
        IsPending = _answered = false;
        _elementSize = 0;
    }

    /// <summary>Gives the value of a read; for a string access it is taken from <see cref="PendingData"/>.</summary>
    public void CompleteRead(ulong value) => Answer(_elementSize != 0 ? BinaryPrimitives.ReadUInt32LittleEndian(_element) : value);

    /// <summary>Gives the answer to a CPUID.</summary>
    public void CompleteCpuid(in CpuidResult result) =>
        Answer(result.Eax | ((ulong)result.Ebx << 32), result.Ecx | ((ulong)result.Edx << 32));

    /// <summary>Refuses an MSR access.</summary>
    public void CompleteWithFault() => Answer(refused: true);

    /// <summary>Decides a violating write: discarded, or tried again now that the client has changed the rights.</summary>
    public void CompleteWrite(WriteResolution resolution)
    {
        if (resolution == WriteResolution.Discard)
            Answer();
        else
            Assist.WithdrawRequest();
        _answered = true;
    }

    /// <inheritdoc/>
    public void Dispose() => Assist.Dispose();

    private void Answer(ulong value = 0, ulong value2 = 0, bool refused = false)
    {
        Assist.Answer(value, value2, refused);
        _answered = true;
    }

    private bool Step(out VpExit exit)
    {
        _answered = false;
        _elementSize = 0;
        IsPending = false;
        if (Assist.Step())
        {
            Finish();
            exit = default;
            return true;
        }
        exit = Translate(in Assist.Request);
        return false;
    }

    private void Finish()
    {
        Assist.Commit();
        Finished++;
    }

    private unsafe VpExit Translate(in ExternalRequest request)
    {
        // SAFETY: the state block lives as long as the assist.
        ulong rip = Assist.State->Rip;
        IsPending = true;
        switch (request.Kind)
        {
            case ExternalRequestKind.PortRead or ExternalRequestKind.PortWrite:
                return new VpExit(Port(in request), rip);
            case ExternalRequestKind.MmioRead or ExternalRequestKind.MmioWrite:
                bool store = request.Kind == ExternalRequestKind.MmioWrite;
                return new VpExit(new MmioExit { Address = request.Address, Size = request.Size, IsWrite = store, Value = store ? request.Value : 0 }, rip);
            case ExternalRequestKind.MsrRead or ExternalRequestKind.MsrWrite:
                bool write = request.Kind == ExternalRequestKind.MsrWrite;
                return new VpExit(new MsrExit { Msr = (uint)request.Address, IsWrite = write, Value = write ? request.Value : 0 }, rip);
            case ExternalRequestKind.Cpuid:
                CpuidAnswer answer = Assist.QueryCpuid((uint)request.Address, (uint)request.Value);
                return new VpExit(
                    new CpuidExit
                    {
                        Leaf = (uint)request.Address, Subleaf = (uint)request.Value, Default = new CpuidResult(answer.Eax, answer.Ebx, answer.Ecx, answer.Edx),
                    },
                    rip);
            case ExternalRequestKind.Hypercall:
                // Announced after it retired.
                IsPending = false;
                Finish();
                return new VpExit(ExitKind.Hypercall, rip);
            default:
                return Violation(in request, rip);
        }
    }

    private PortIoExit Port(in ExternalRequest request)
    {
        bool output = request.Kind == ExternalRequestKind.PortWrite;
        if (request.IsString)
        {
            _elementSize = request.Size;
            BinaryPrimitives.WriteUInt32LittleEndian(_element, output ? (uint)request.Value : 0);
        }
        return new PortIoExit
        {
            Port = (ushort)request.Address, Size = request.Size, IsWrite = output, IsString = request.IsString, Count = 1, Value = output ? request.Value : 0,
        };
    }

    private VpExit Violation(in ExternalRequest request, ulong rip)
    {
        GuestAccess access = request.Kind switch
        {
            ExternalRequestKind.SlatExecute => GuestAccess.Execute,
            ExternalRequestKind.SlatWrite => GuestAccess.Write,
            _ => GuestAccess.Read,
        };
        bool carriesData = access == GuestAccess.Write && !request.PageWalk;
        VpExit exit = new(
            new SlatViolationExit
            {
                Address = request.Address, Access = access, PageWalk = request.PageWalk, Size = request.Size, Value = carriesData ? request.Value : 0,
            },
            rip);
        if (!carriesData)
        {
            // Nothing to answer: the instruction runs again from its start once the client has seen to the rights.
            Assist.WithdrawRequest();
            Assist.ClearAnswers();
            IsPending = false;
        }
        return exit;
    }
}
