namespace Vmm;

/// <summary>One virtual processor.</summary>
/// <remarks>
/// <see cref="Run"/>, completion, registers and state belong to one thread at a time; used while another thread is inside <see cref="Run"/>
/// they throw <see cref="InvalidOperationException"/>. <see cref="Cancel"/>, <see cref="WithdrawCancel"/>, <see cref="Inject"/> and
/// <see cref="Counters"/> may be used from any thread at any time.
/// </remarks>
public interface IVirtualProcessor
{
    /// <summary>Index in <see cref="IPartition.Processors"/>.</summary>
    int Index { get; }

    /// <summary>The partition.</summary>
    IPartition Partition { get; }

    /// <summary>
    /// Runs guest code on the calling thread until something needs the caller. Finishes a pending, completed instruction first.
    /// </summary>
    /// <returns>Why it stopped. Nothing that a guest does makes this throw.</returns>
    /// <exception cref="InvalidOperationException">
    /// Another thread is running it (named in the message); a pending read has not been completed; or the processor is shut down or failed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The partition is disposed, or was while this ran.</exception>
    VpExit Run();

    /// <summary>
    /// Finishes the pending instruction without starting another one. At <see cref="CompletionStatus.Done"/> RIP is after the instruction,
    /// or at it for an unfinished REP with RCX, RSI and RDI exact.
    /// </summary>
    /// <param name="exit">The instruction's further exit when the status is <see cref="CompletionStatus.FurtherExit"/>.</param>
    /// <exception cref="InvalidOperationException">No instruction is pending, or it waits for its value.</exception>
    CompletionStatus CompletePending(out VpExit exit);

    /// <summary>An exit's instruction is not finished.</summary>
    bool IsPending { get; }

    /// <summary>Gives the value of a pending read: port, memory-mapped I/O or MSR. Bits above the access size are ignored.</summary>
    void CompleteRead(ulong value);

    /// <summary>Gives the answer to a pending CPUID.</summary>
    void CompleteCpuid(in CpuidResult result);

    /// <summary>Refuses the pending MSR access: the guest gets #GP(0).</summary>
    void CompleteWithFault();

    /// <summary>Decides a pending violating write.</summary>
    void CompleteWrite(WriteResolution resolution);

    /// <summary>
    /// The elements of a pending string port access: Count × Size bytes, first element first. An input fills it, then calls
    /// <see cref="CompleteRead"/> with any value. Empty unless <see cref="PortIoExit.IsString"/>.
    /// </summary>
    Span<byte> PendingData { get; }

    /// <summary>
    /// Makes the current <see cref="Run"/>, else the next, return <see cref="ExitKind.Cancelled"/> once. Requests before that coalesce; a
    /// natural exit may win, the request then stays.
    /// </summary>
    void Cancel();

    /// <summary>Takes a cancel request back.</summary>
    /// <returns>Whether one was set.</returns>
    bool WithdrawCancel();

    /// <summary>Queues an event for delivery.</summary>
    /// <returns><see cref="InjectionResult.Deferred"/> when it waits for a window (IF, shadow, NMI blocking).</returns>
    /// <exception cref="InvalidOperationException">An event that is not yet delivered occupies the place.</exception>
    InjectionResult Inject(in InjectedEvent injected);

    /// <summary>One register by name. Segment registers and tables have no single value: use the groups.</summary>
    ulong this[Register register] { get; set; }

    /// <summary>Reads several registers at once.</summary>
    void GetRegisters(ReadOnlySpan<Register> registers, Span<ulong> values);

    /// <summary>Writes several registers at once, in order.</summary>
    void SetRegisters(ReadOnlySpan<Register> registers, ReadOnlySpan<ulong> values);

    /// <summary>Registers by group; only the groups named by <paramref name="groups"/> are filled.</summary>
    void GetState(RegisterGroups groups, out ProcessorState state);

    /// <summary>Writes the groups named by <paramref name="groups"/>, leaving the others alone.</summary>
    /// <exception cref="ArgumentException">
    /// A value that no instruction could have put there (reserved bits, impossible mode); names the register.
    /// </exception>
    void SetState(RegisterGroups groups, in ProcessorState state);

    /// <summary>Reads a model-specific register, past the guest's MSR policy.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The backend has no such MSR.</exception>
    ulong ReadMsr(uint msr);

    /// <summary>
    /// Writes a model-specific register, past the guest's MSR policy. Other than the guest's own WRMSR, a write of the time-stamp counter
    /// leaves IA32_TSC_ADJUST alone, and one of IA32_TSC_ADJUST the counter, so that both can be restored.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The backend has no such MSR.</exception>
    /// <exception cref="ArgumentException">The value is reserved.</exception>
    void WriteMsr(uint msr, ulong value);

    /// <summary>Size in bytes of the XSAVE area (standard format) that <see cref="GetXsave"/> fills.</summary>
    int XsaveSize { get; }

    /// <summary>x87, SSE and further vector state in the XSAVE standard format (SDM Vol. 1 13.4).</summary>
    void GetXsave(Span<byte> area);

    /// <summary>Writes x87, SSE and further vector state; components whose XSTATE_BV bit is clear go to their initial state.</summary>
    /// <exception cref="ArgumentException">Reserved header or MXCSR bits are set, or the area is too small.</exception>
    void SetXsave(ReadOnlySpan<byte> area);

    /// <summary>
    /// The registers of the local APIC at their xAPIC offsets (SDM Vol. 3A table 11-1), whatever its mode: 1024 bytes. The current count is
    /// what is left of the timer's count; bytes 4 to 7 of the error status's slot (0x284) hold errors not yet shown to the guest.
    /// IA32_APIC_BASE and IA32_TSC_DEADLINE are not part of it.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// <see cref="Capability.LocalApic"/> or <see cref="Capability.EventState"/> is not declared.
    /// </exception>
    /// <exception cref="InvalidOperationException">The partition has no local APICs.</exception>
    void GetLocalApic(Span<byte> page);

    /// <summary>
    /// Writes the registers of the local APIC as <see cref="GetLocalApic"/> gives them; nothing is sent. Registers that follow from others
    /// (id, version, processor priority) are not taken. Set IA32_APIC_BASE before, IA32_TSC_DEADLINE after.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// <see cref="Capability.LocalApic"/> or <see cref="Capability.EventState"/> is not declared.
    /// </exception>
    /// <exception cref="InvalidOperationException">The partition has no local APICs.</exception>
    void SetLocalApic(ReadOnlySpan<byte> page);

    /// <summary>Translates a guest-linear address as the hardware would, without side effects.</summary>
    /// <param name="linear">Linear address (segment base included).</param>
    /// <param name="access">The access to check; <see cref="GuestAccess.None"/> checks presence alone.</param>
    /// <param name="user">Check as privilege level 3.</param>
    LinearTranslationResult Translate(ulong linear, GuestAccess access, bool user = false);

    /// <summary>
    /// What the host's debugger asks of this processor; a processor at rest takes it. It is no state of the guest: neither saved nor
    /// changed by a reset.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// It asks for what the backend does not declare: <see cref="Capability.Breakpoints"/>, <see cref="Capability.Watchpoints"/> or
    /// <see cref="Capability.SingleStep"/>.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// There are more points than <see cref="HypervisorCapabilities.DebugPointLimit"/>, or one has an impossible length or alignment.
    /// </exception>
    DebugControl Debugging
    {
        get => DebugControl.None;
        set => Partition.Capabilities.Require(Capability.Breakpoints);
    }

    /// <summary>Counters of this processor; a snapshot, may be read while it runs.</summary>
    ProcessorCounters Counters { get; }
}
