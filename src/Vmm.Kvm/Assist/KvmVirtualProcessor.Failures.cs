using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Processors;

/// <summary>
/// Instructions that the kernel could not carry out. Where the processor has no virtualization of its own, or not for every mode, the
/// kernel interprets guests itself and gives up at much of x87, SSE and control transfer: that one instruction is finished by the assist,
/// and the guest goes on.
/// </summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private const byte InvalidOpcode = 6;

    protected override ulong AssistedInstructionsCore => _assist.Finished;

    /// <summary>
    /// Finishes the instruction that the kernel failed at. True: an exit, of the instruction or because it cannot be finished.
    /// </summary>
    private bool AssistFailure(out VpExit exit) => !_assist.Start(out exit);

    /// <summary>Goes on with an instruction of the assist. True: done; false: a further exit of it.</summary>
    private bool FinishAssisted(out VpExit exit) => _assist.Continue(out exit);

    // Beside the report, the kernel queues #UD for a client that does no more than run the guest on.
    private void DropInvalidOpcode()
    {
        ref KvmVcpuEvents events = ref Events;
        if ((events.ExceptionInjected | events.ExceptionPending) == 0 || events.ExceptionVector != InvalidOpcode)
            return;
        events.ExceptionInjected = events.ExceptionPending = events.ExceptionHasErrorCode = events.ExceptionHasPayload = events.ExceptionVector = 0;
        SetEvents();
    }

    /// <summary>Reads MSRs in one call; what the kernel does not have reads as zero.</summary>
    private void ReadMsrs(ReadOnlySpan<uint> msrs, Span<ulong> values)
    {
        const int Header = sizeof(ulong), Entry = 16;
        byte* list = stackalloc byte[Header + (Entry * msrs.Length)];
        ulong* words = (ulong*)list;
        words[0] = (uint)msrs.Length;
        for (int i = 0; i < msrs.Length; i++)
        {
            words[1 + (2 * i)] = msrs[i];
            words[2 + (2 * i)] = 0;
        }
        int done = Libc.Control(_file, KvmIoctl.GetMsrs, list);
        for (int i = 0; i < msrs.Length; i++)
        {
            if (i < done)
                values[i] = words[2 + (2 * i)];
            else
                TryReadMsrCore(msrs[i], out values[i]);
        }
    }
}
