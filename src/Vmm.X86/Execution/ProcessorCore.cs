using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>
/// One x86-64 processor as the instruction handlers see it: a state block, memory by linear address, and the seam behind which physical
/// memory, ports, MSRs and time live. The emulator derives it for its virtual processors, the instruction assist for foreign ones.
/// </summary>
/// <remarks>
/// Not thread-safe: one thread runs a processor. Members that access guest memory return false when the instruction must stop;
/// <see cref="Stopped"/> then says whether by a fault or for an outside answer. A handler commits registers and flags only after its last
/// access, so that a stopped instruction can simply be run again.
/// </remarks>
// SAFETY: pointers are the state block owned here, soft-TLB addends made from pages that the physical seam keeps mapped until it flushed
// this processor's TLB, and the bounce buffer inside the state block. Every probe checks page and size before it dereferences.
public abstract unsafe partial class ProcessorCore : IDisposable
{
    private readonly TlbEntry* _tlb;

    /// <summary>Makes a processor with a zeroed state block; a reset or a state load must follow before it runs.</summary>
    /// <param name="codeMap">The partition's code map; null for a processor on its own.</param>
    protected ProcessorCore(CodeMap? codeMap = null)
    {
        CodeMap = codeMap ?? new CodeMap();
        State = (VcpuState*)NativeMemory.AlignedAlloc((nuint)sizeof(VcpuState), 4096);
        NativeMemory.Clear(State, (nuint)sizeof(VcpuState));
        nuint size = (nuint)(sizeof(TlbEntry) * SoftTlb.Entries * SoftTlb.Banks * 2);
        _tlb = (TlbEntry*)NativeMemory.AlignedAlloc(size, 4096);
        AllocateCode();
        MakeFirstEmpty();
        FlushTlb();
        SelectTlbBank();
    }

    /// <summary>The state block; valid until disposed.</summary>
    public VcpuState* State { get; private set; }

    /// <summary>Why the last member that returned false did so: <see cref="Outcome.Fault"/> or <see cref="Outcome.Exit"/>.</summary>
    public Outcome Stopped { get; protected set; }

    /// <summary>
    /// Guest-physical address width in bits (CPUID 0x80000008): what reserved bits in paging structures are checked against.
    /// </summary>
    public abstract int PhysicalAddressBits { get; }

    /// <summary>Looks a guest-physical page up in the second level. Sets its accessed and dirty flags.</summary>
    /// <param name="address">Any address inside the page.</param>
    /// <param name="access">The access about to be made.</param>
    /// <param name="page">The answer.</param>
    protected abstract void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page);

    /// <summary>
    /// A store of <paramref name="size"/> bytes was made to a page whose <see cref="PhysicalPage.TrackWrites"/> is set, or that holds
    /// decoded code
    /// (the engine itself drops such code).
    /// </summary>
    protected virtual void OnTrackedWrite(ulong address, int size)
    {
    }

    /// <summary>
    /// Answers a request inside the processor or partition (local APIC page, MSR and CPUID policy). True when
    /// <see cref="ExternalRequest.Value"/>
    /// holds the answer (or the write was taken); false sends the request out.
    /// </summary>
    protected abstract bool TryAnswer(ref ExternalRequest request);

    /// <summary>The time-stamp counter as the guest sees it.</summary>
    public abstract ulong ReadTimeStampCounter();

    /// <summary>Linear translations changed (CR3, CR0, CR4, EFER, INVLPG): caches of code by linear address must be dropped too.</summary>
    protected virtual void OnTranslationsChanged()
    {
    }

    /// <summary>
    /// A page of the processor's own, in the second level's eyes not memory at all, answers at this guest-physical page number (the local
    /// APIC
    /// page); <see cref="ulong.MaxValue"/> when there is none. It overrides memory mapped there.
    /// </summary>
    protected ulong OverlayPage { get; set; } = ulong.MaxValue;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the state block.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (State != null)
        {
            FreeCode();
            NativeMemory.AlignedFree(State);
            NativeMemory.AlignedFree(_tlb);
            State = null;
        }
    }

    /// <summary>Records an exception without error code.</summary>
    /// <returns><see cref="Outcome.Fault"/>.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public Outcome Raise(int vector)
    {
        State->Fault = new PendingFault { Vector = (byte)vector };
        return Stopped = Outcome.Fault;
    }

    /// <summary>Records an exception with error code.</summary>
    /// <returns><see cref="Outcome.Fault"/>.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public Outcome Raise(int vector, uint errorCode)
    {
        State->Fault = new PendingFault { Vector = (byte)vector, HasErrorCode = true, ErrorCode = errorCode };
        return Stopped = Outcome.Fault;
    }

    /// <summary>Records #GP(0).</summary>
    public Outcome RaiseGeneralProtection() => Raise(ExceptionVector.GeneralProtection, 0);

    /// <summary>Records #UD.</summary>
    public Outcome RaiseInvalidOpcode() => Raise(ExceptionVector.InvalidOpcode);

    /// <summary>Records #PF for a linear address.</summary>
    public Outcome RaisePageFault(ulong linear, uint errorCode)
    {
#if VMM_MUTANTS
        errorCode = Broken(Mutant.PageFaultWithoutUserBit) ? errorCode & ~4U : errorCode;
        linear = Broken(Mutant.Cr2WithoutOffset) ? linear & ~0xFFFUL : linear;
#endif
        State->Fault = new PendingFault { Vector = ExceptionVector.PageFault,
            HasErrorCode = true, ErrorCode = errorCode, Payload = linear };
        return Stopped = Outcome.Fault;
    }
}
