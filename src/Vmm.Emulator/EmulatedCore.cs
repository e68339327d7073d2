using System.Runtime.CompilerServices;
using Vmm.Emulator.Interrupts;
using Vmm.Emulator.NestedPaging;
using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.Emulator;

/// <summary>
/// The processor core of an emulated virtual processor: physical memory through the partition's nested tables, policy, time.
/// </summary>
// SAFETY: host pages come from the nested tables, whose memory stays mapped until every core has dropped its translations.
internal sealed unsafe partial class EmulatedCore : ProcessorCore
{
    private readonly EmulatorPartition _partition;
    private readonly NestedPageTable _table;
    private readonly uint[] _cpuidExits;
    private readonly MsrPolicy? _msrPolicy;
    private NestedWalkCounters _walks;

    public EmulatedCore(EmulatorPartition partition, uint apicId)
        : base(partition.CodeMap)
    {
        _partition = partition;
        _table = partition.NestedMemory.Table;
        Model = partition.Model;
        ApicId = apicId;
        HypercallsEnabled = partition.Options.HypercallExits;
        _cpuidExits = [.. partition.Options.CpuidExits];
        _msrPolicy = partition.Options.MsrPolicy;
    }

    public override int PhysicalAddressBits => Model.PhysicalAddressBits;

    /// <summary>Nested walks of this processor.</summary>
    public ref readonly NestedWalkCounters WalkCounters => ref _walks;

    /// <summary>Data translations that missed the soft TLB.</summary>
    public ulong TranslationMisses { get; private set; }

    // Only handlers of the instruction table read it, in the middle of a block where instructions are not yet counted.
    public override ulong ReadTimeStampCounter() => TimeStampCounter + (_partition.CountedTime is null ? 0 : State->Before);

    private ulong TimeStampCounter => _partition.Clock.Now + State->TscOffset;

    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page)
    {
        GuestAccess wanted = access switch
        {
            PhysicalAccess.Write or PhysicalAccess.WalkWrite => GuestAccess.Write,
            PhysicalAccess.Execute => GuestAccess.Execute,
            _ => GuestAccess.Read,
        };
        bool walk = access >= PhysicalAccess.WalkRead;
        if (!walk)
            TranslationMisses++;
        page = default;
        if (_table.Walk(address, wanted, walk, ref _walks, out NestedWalkResult result))
        {
            page.Host = (byte*)(result.HostAddress & ~(nuint)0xFFF);
            page.Kind = PhysicalPageKind.Memory;
            return;
        }
        page.Kind = result.Status == NestedWalkStatus.NotPresent ? PhysicalPageKind.Unmapped : PhysicalPageKind.Forbidden;
    }

    protected override byte* ProbePhysical(ulong address) =>
        _table.Probe(address, GuestAccess.ReadWrite, out NestedWalkResult result) ? (byte*)(result.HostAddress & ~(nuint)0xFFF) : null;

    protected override bool TryAnswer(ref ExternalRequest request)
    {
        switch (request.Kind)
        {
            case ExternalRequestKind.Cpuid:
                if (_cpuidExits.Length != 0 && Array.IndexOf(_cpuidExits, (uint)request.Address) >= 0)
                    return false;
                AnswerCpuid(ref request);
                return true;
            case ExternalRequestKind.MsrRead:
            case ExternalRequestKind.MsrWrite:
                return TryAnswerMsr(ref request);
            case ExternalRequestKind.MmioRead:
                return TryReadApic(ref request);
            case ExternalRequestKind.MmioWrite:
                return TryWriteApic(in request) || _partition.NestedMemory.Ring(request.Address, request.Size, request.Value);
            default:
                return false;
        }
    }

    protected override X86.Execution.MsrAction SelectMsrAction(uint msr, bool write) => MsrPolicyAnswers.Select(_msrPolicy, msr, write);

    /// <summary>Makes an injected event the event to deliver.</summary>
    public void QueueEvent(in InjectedEvent injected) => State->Event = new PendingEvent
    {
        Kind = injected.Kind switch
        {
            InjectedEventKind.ExternalInterrupt => EventKind.ExternalInterrupt,
            InjectedEventKind.NonMaskableInterrupt => EventKind.NonMaskableInterrupt,
            _ => EventKind.HardwareException,
        },
        Vector = injected.Vector,
        HasErrorCode = injected.HasErrorCode,
        ErrorCode = injected.ErrorCode,
        Payload = injected.Payload,
    };

    /// <summary>The event whose delivery has begun, unless it is an instruction's own: that instruction runs again.</summary>
    public bool TryGetEvent(out InjectedEvent injected)
    {
        ref PendingEvent e = ref State->Event;
        InjectedEventKind? kind = e.Kind switch
        {
            EventKind.ExternalInterrupt => InjectedEventKind.ExternalInterrupt,
            EventKind.NonMaskableInterrupt => InjectedEventKind.NonMaskableInterrupt,
            EventKind.HardwareException => InjectedEventKind.Exception,
            _ => null,
        };
        injected = kind is null
            ? default
            : new() { Kind = kind.Value, Vector = e.Vector, HasErrorCode = e.HasErrorCode, ErrorCode = e.ErrorCode, Payload = e.Payload };
        return kind is not null;
    }

    private bool TryAnswerMsr(ref ExternalRequest request)
    {
        uint msr = (uint)request.Address;
        bool write = request.Kind == ExternalRequestKind.MsrWrite;
        if (Apic is null || !LocalApic.OwnsMsr(msr) || MsrPolicyAnswers.Select(_msrPolicy, msr, write) == X86.Execution.MsrAction.Ask)
            return MsrPolicyAnswers.TryAnswer(_msrPolicy, ref request);
        request.Refused = !(write ? TryWriteApicMsr(msr, request.Value) : Apic.TryReadMsr(msr, out request.Value));
        return true;
    }
}
