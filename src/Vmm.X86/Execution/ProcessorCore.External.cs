using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // An instruction that needs the outside stops, is answered, and runs again from its start; answers so far are replayed in order.
    // Requests answered inside are not kept: no instruction mixes them with outside ones in a way that shows. 512 bytes of FXSAVE area in
    // 8-byte pieces, each split once, is the longest chain there is.
    private const int LongestChain = 192;
    private readonly ExternalRequest[] _answers = new ExternalRequest[LongestChain];
    private ExternalRequest _request;
    private int _answerCount;
    private int _answerCursor;

    /// <summary>What the stopped instruction wants, after <see cref="Outcome.Exit"/>.</summary>
    public ref readonly ExternalRequest Request => ref _request;

    /// <summary>An instruction is half done: it has answers that it has not finished with.</summary>
    public bool HasAnswers => _answerCount != 0;

    /// <summary>Answers the current <see cref="Request"/>; the instruction is then run again by the caller.</summary>
    /// <param name="value">Value read (ignored for writes).</param>
    /// <param name="value2">Second half of a CPUID answer.</param>
    /// <param name="refused">#GP(0) for an MSR, discard for a store.</param>
    public void Answer(ulong value = 0, ulong value2 = 0, bool refused = false)
    {
        _request.Value = value;
        _request.Value2 = value2;
        _request.Refused = refused;
        _answers[_answerCount++] = _request;
        _request.Kind = ExternalRequestKind.None;
    }

    /// <summary>Withdraws the current request unanswered: the instruction will ask again when it runs again.</summary>
    public void WithdrawRequest() => _request.Kind = ExternalRequestKind.None;

    /// <summary>
    /// Forgets the answers: the instruction they belong to is done, or was abandoned. A string instruction does so after each element.
    /// </summary>
    public void ClearAnswers() => _answerCount = _answerCursor = 0;

    /// <summary>Starts replaying answers from the first: called before the instruction runs again.</summary>
    public void RewindAnswers() => _answerCursor = 0;

    /// <summary>
    /// Asks the outside. True: <paramref name="request"/> holds the answer. False: the instruction must return <see cref="Outcome.Exit"/>
    /// (<see cref="Stopped"/>).
    /// </summary>
    public bool Ask(ref ExternalRequest request)
    {
        if (_answerCursor < _answerCount)
        {
            request = _answers[_answerCursor++];
            return true;
        }
        if (TryAnswer(ref request))
            return true;
        _request = request;
        Stopped = Outcome.Exit;
        return false;
    }

    // What an unfinished instruction was told of a page holds until it is finished, even where the client has changed the mapping since.
    private bool IsAnsweredPage(ulong address, bool write, out PhysicalPageKind kind)
    {
        kind = PhysicalPageKind.Unmapped;
        for (int i = 0; i < _answerCount; i++)
        {
            ref readonly ExternalRequest answer = ref _answers[i];
            if (answer.Address >> 12 != address >> 12)
                continue;
            if (answer.Kind is ExternalRequestKind.MmioRead or ExternalRequestKind.MmioWrite)
                return true;
            if (write && answer.Kind == ExternalRequestKind.SlatWrite)
            {
                kind = PhysicalPageKind.Forbidden;
                return true;
            }
        }
        return false;
    }

    /// <summary>Reads from an address without memory, at most 8 bytes an exit, low to high, into <paramref name="destination"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ReadExternal(PhysicalPageKind kind, ulong address, byte* destination, int size)
    {
        while (size > 0)
        {
            int piece = Math.Min(size, 8);
            ExternalRequest request = new()
            {
                Kind = kind == PhysicalPageKind.Forbidden ? ExternalRequestKind.SlatRead : ExternalRequestKind.MmioRead,
                Address = address,
                Size = (byte)piece,
            };
            if (!Ask(ref request))
                return false;
            for (int i = 0; i < piece; i++)
                destination[i] = (byte)(request.Value >> (8 * i));
            address += (ulong)piece;
            destination += piece;
            size -= piece;
        }
        return true;
    }

    /// <summary>Writes to an address without memory, or to memory that refuses writes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool WriteExternal(PhysicalPageKind kind, ulong address, byte* source, int size)
    {
        while (size > 0)
        {
            int piece = Math.Min(size, 8);
            ulong value = 0;
            for (int i = 0; i < piece; i++)
                value |= (ulong)source[i] << (8 * i);
            ExternalRequest request = new()
            {
                Kind = kind == PhysicalPageKind.Forbidden ? ExternalRequestKind.SlatWrite : ExternalRequestKind.MmioWrite,
                Address = address,
                Size = (byte)piece,
                Value = value,
            };
            if (!Ask(ref request))
                return false;
            address += (ulong)piece;
            source += piece;
            size -= piece;
        }
        return true;
    }

    /// <summary>A page walk met a hole or refused memory: goes out as a violation with the walk flag.</summary>
    protected bool StopForWalk(ulong address, PhysicalAccess access)
    {
        _request = new ExternalRequest
        {
            Kind = access == PhysicalAccess.WalkWrite ? ExternalRequestKind.SlatWrite : ExternalRequestKind.SlatRead,
            Address = address,
            Size = 8,
            PageWalk = true,
        };
        Stopped = Outcome.Exit;
        return false;
    }

    /// <summary>An instruction fetch met a hole or refused memory.</summary>
    protected bool StopForFetch(ulong address)
    {
        _request = new ExternalRequest { Kind = ExternalRequestKind.SlatExecute, Address = address, Size = 1 };
        Stopped = Outcome.Exit;
        return false;
    }

    /// <summary>Sends an outcome out that needs no answer: the instruction retires first.</summary>
    protected void Announce(ExternalRequestKind kind, ulong address) => _request = new ExternalRequest { Kind = kind, Address = address };
}
