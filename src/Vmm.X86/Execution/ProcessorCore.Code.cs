using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const int ScratchOperations = 8;
    private const int FetchEntries = 64;
    private const int LongestQueue = 256;
    private readonly CodeCache _code = new();
    private BlockDecoder? _blockDecoder;
    private readonly FetchEntry[] _fetch = new FetchEntry[FetchEntries];
    private readonly Lock _workLock = new();
    private readonly List<ulong> _invalidPages = [];
    private DecodedOperation* _scratch;
    private volatile bool _workPending;
    private bool _writeFlushPending;
    private volatile bool _inGuest;

    private struct FetchEntry
    {
        public ulong Page;
        public ulong Key;
        public ulong Physical;
        public byte* Host;
    }

    // Made at first use: the model is set after construction.
    private BlockDecoder Decoding => _blockDecoder ??= new BlockDecoder(Model);

    /// <summary>The partition's map of pages that hold decoded code.</summary>
    public CodeMap CodeMap { get; }

    /// <summary>Work for the dispatcher waits, such as code to drop: an operation that stored must leave its block.</summary>
    internal bool CodeChanged => _workPending;

    /// <summary>
    /// An answer given inside asks that the instruction now executing be the last before <see cref="Execute"/> looks at
    /// <see cref="VcpuState.Kick"/>. On the processor's own thread.
    /// </summary>
    protected void LeaveBlock() => _workPending = true;

    internal void QueueInvalidation(ulong page)
    {
        lock (_workLock)
        {
            // A processor that does not run for long must not collect without bound: it forgets everything instead.
            if (_invalidPages.Count >= LongestQueue)
            {
                _invalidPages.Clear();
                page = ulong.MaxValue;
            }
            _invalidPages.Add(page);
            _workPending = true;
        }
        Volatile.Write(ref State->PollLimit, 0);
    }

    internal void QueueWriteFlush()
    {
        lock (_workLock)
        {
            _writeFlushPending = true;
            _workPending = true;
        }
        Volatile.Write(ref State->PollLimit, 0);
    }

    /// <summary>
    /// Waits until this processor, run by another thread, has emptied its write entries or will before it enters guest code again.
    /// </summary>
    internal void AwaitWriteFlush()
    {
        Interlocked.MemoryBarrier();
        SpinWait spin = default;
        while (_inGuest && _workPending)
            spin.SpinOnce();
    }

    /// <summary>
    /// Runs operations from an entry, visible to those who wait for this processor. False: work has come up that must be done first.
    /// </summary>
    private bool EnterGuest(DecodedOperation* entry)
    {
        _inGuest = true;
        Interlocked.MemoryBarrier();
        if (_workPending)
        {
            _inGuest = false;
            return false;
        }
        RunStop = Outcome.NextBlock;
        LinkFrom = null;
        Dispatch.Run(this, State, entry);
        _inGuest = false;
        return true;
    }

    /// <summary>What <see cref="EnterGuest"/> is for operations, for accesses that no operation makes.</summary>
    private void BeginAccess()
    {
        while (true)
        {
            _inGuest = true;
            Interlocked.MemoryBarrier();
            if (!_workPending)
                return;
            _inGuest = false;
            DoPendingWork();
        }
    }

    private void EndAccess() => _inGuest = false;

    /// <summary>A store was made to a page that the second level or the code map watches.</summary>
    private void ReportWrite(ulong physical, int size)
    {
#if VMM_MUTANTS
        if (Broken(Mutant.GuestCodeChangeMissed))
            return;
#endif
        if (CodeMap.HasCode(physical))
            CodeMap.Invalidate(physical, (ulong)size, this);
        OnTrackedWrite(physical, size);
    }

    private void DoPendingWork()
    {
        while (!TryDoPendingWork())
            CodeMap.Exclusive.AwaitEnd(this);
    }

    // Not while another processor is alone: it has taken this one's flag for a promise to stay outside.
    private bool TryDoPendingWork()
    {
        bool changed;
        lock (_workLock)
        {
            if (CodeMap.Exclusive.Excludes(this))
                return false;
            _workPending = false;
            if (_writeFlushPending)
            {
                _writeFlushPending = false;
                FlushWriteTlb();
            }
            changed = _invalidPages.Count != 0;
            foreach (ulong page in _invalidPages)
            {
                if (page == ulong.MaxValue)
                    _code.Clear();
                else
                    _code.DropPage(page);
            }
            _invalidPages.Clear();
        }
        if (changed)
            ForgetJumps();
        return true;
    }

    /// <summary>Linear address of RIP.</summary>
    private ulong LinearRip(ulong rip) => Is64Bit ? rip : (uint)(State->Segments[SegmentIndex.Cs].Base + rip);

    /// <summary>RIP wrapped to the code size.</summary>
    internal ulong MaskRip(ulong rip) => Is64Bit ? rip : (uint)rip;

    /// <summary>
    /// Finds or makes the block at RIP. Null: <see cref="RunStop"/> is Fault or Exit, or Repeat where the instruction must be interpreted
    /// by itself.
    /// </summary>
    private DecodedOperation* FindCode(out Block* block)
    {
        VcpuState* s = State;
        ulong rip = s->Rip;
        ulong linear = LinearRip(rip);
        block = null;
        JumpCacheEntry* jump = s->JumpCache + JumpCacheEntry.Slot(linear);
        bool limited = (s->Mode & (ExecutionMode.Flat | ExecutionMode.CodeSizeMask)) is not (ExecutionMode.Code64 | ExecutionMode.Flat)
            and not (ExecutionMode.Code32 | ExecutionMode.Flat);
        if (jump->Rip == linear && jump->Key == s->JumpKey && !limited)
        {
            block = (Block*)jump->Entry - 1;
            s->PageRip = rip - (linear & 0xFFF);
            return jump->Entry;
        }
        if (!Fetch(linear, out ulong physical, out byte* host))
            return null;
        block = _code.Find(physical, s->Mode);
        if (block == null)
        {
            block = MakeBlock(rip, linear, physical, host);
            if (block == null)
                return null;
        }
        else if (block->SecondPage != ulong.MaxValue)
        {
            if (!Fetch((linear & ~0xFFFUL) + 4096, out ulong second, out _))
                return null;
            if (second >> 12 != block->SecondPage)
                return Interpreted();
        }
        if (limited && (rip & uint.MaxValue) + block->Length - 1 > s->Segments[SegmentIndex.Cs].Limit)
            return Interpreted();
        s->PageRip = rip - (linear & 0xFFF);
        DecodedOperation* entry = Block.First(block);
        jump->Rip = linear;
        jump->Key = s->JumpKey;
        jump->Entry = entry;
        return entry;
    }

    private DecodedOperation* Interpreted()
    {
        RunStop = Outcome.Repeat;
        return null;
    }

    private Block* MakeBlock(ulong rip, ulong linear, ulong physical, byte* host)
    {
        VcpuState* s = State;
        BlockDecoder decoder = Decoding;
        if (_code.Interpret(physical >> 12))
        {
            Interpreted();
            return null;
        }
        if (_code.Full)
        {
            _code.Clear();
            ForgetJumps();
        }
        int offset = (int)(linear & 0xFFF);
        ulong pageRip = rip - (ulong)offset;
        ulong firstPage = physical >> 12;
        CodeMap.BeginDecoding(firstPage, this);
        decoder.Decode(host, host - offset + 4096, offset, pageRip, s->Mode, BlockDecoder.MaximumInstructions, _hostBreakpointOffsets);
        ulong secondPage = ulong.MaxValue;
        if (decoder.Crosses)
        {
            byte* bytes = stackalloc byte[32];
            int count = Gather(linear, host, bytes, out ulong second);
            if (count == 0)
            {
                CodeMap.EndDecoding(firstPage, 0);
                return null;
            }
            secondPage = second >> 12;
            CodeMap.BeginDecoding(secondPage, this);
            Gather(linear, host, bytes, out _);
            decoder.Decode(bytes, bytes + count, offset, pageRip, s->Mode, 1);
            CodeMap.EndDecoding(secondPage, 1);
        }
        CodeMap.EndDecoding(firstPage, Granules(offset, decoder.Length));
        return _code.Add(decoder, physical, s->Mode, secondPage);
    }

    private static ulong Granules(int offset, int length)
    {
        int from = offset >> 6;
        int to = Math.Min(4095, offset + Math.Max(length, 1) - 1) >> 6;
        return (ulong.MaxValue << from) & (ulong.MaxValue >> (63 - to));
    }

    /// <summary>Copies up to 15 instruction bytes from two pages. 0: stopped.</summary>
    private int Gather(ulong linear, byte* host, byte* bytes, out ulong second)
    {
        int first = 4096 - (int)(linear & 0xFFF);
        if (!Fetch((linear + (ulong)first) & LinearMask, out second, out byte* next))
            return 0;
        for (int i = 0; i < 15; i++)
            bytes[i] = i < first ? host[i] : next[i - first];
        return 15;
    }

    /// <summary>Translates one instruction byte's linear address through the fetch TLB. False: <see cref="RunStop"/> says why.</summary>
    private bool Fetch(ulong linear, out ulong physical, out byte* host)
    {
        ref FetchEntry entry = ref _fetch[(int)(linear >> 12) & (FetchEntries - 1)];
        ulong page = linear & ~0xFFFUL;
        if (entry.Page == page && entry.Key == State->JumpKey)
        {
            physical = entry.Physical | (linear & 0xFFF);
            host = entry.Host + (linear & 0xFFF);
            return true;
        }
        physical = 0;
        host = null;
        if (!Is64Bit || IsCanonical(linear))
        {
            if (!TranslateFetch(linear, out LinearTranslation translation))
            {
                RunStop = Stopped;
                return false;
            }
            physical = translation.Physical;
            host = translation.Host + (linear & 0xFFF);
            NoteCodePage(linear);
            entry = new FetchEntry { Page = page, Key = State->JumpKey, Physical = physical & ~0xFFFUL, Host = translation.Host };
            return true;
        }
        RunStop = RaiseGeneralProtection();
        return false;
    }

    /// <summary>Decodes the one instruction at RIP into scratch operations. Null: <see cref="RunStop"/> says why.</summary>
    private DecodedOperation* DecodeOne()
    {
        VcpuState* s = State;
        ulong rip = s->Rip;
        ulong linear = LinearRip(rip);
        if (!Fetch(linear, out _, out byte* host))
            return null;
        BlockDecoder decoder = Decoding;
        int offset = (int)(linear & 0xFFF);
        ulong pageRip = rip - (ulong)offset;
        decoder.Decode(host, host - offset + 4096, offset, pageRip, s->Mode, 1);
        if (decoder.Crosses)
        {
            byte* bytes = stackalloc byte[32];
            int count = Gather(linear, host, bytes, out _);
            if (count == 0)
                return null;
            decoder.Decode(bytes, bytes + count, offset, pageRip, s->Mode, 1);
        }
        if (!Is64Bit && (rip & uint.MaxValue) + (ulong)decoder.Length - 1 > s->Segments[SegmentIndex.Cs].Limit)
        {
            RunStop = RaiseGeneralProtection();
            return null;
        }
        s->PageRip = pageRip;
        decoder.CopyTo(_scratch, (Instruction*)(_scratch + ScratchOperations));
        return _scratch;
    }

    private void AllocateCode()
    {
        // Before any handler is compiled, so that its look at TailCalls is a constant.
        RuntimeHelpers.RunClassConstructor(typeof(Dispatch).TypeHandle);
        State->JumpCache = (JumpCacheEntry*)NativeMemory.AllocZeroed(JumpCacheEntry.Count, (nuint)sizeof(JumpCacheEntry));
        _scratch = (DecodedOperation*)NativeMemory.AllocZeroed(ScratchOperations + 4, (nuint)sizeof(DecodedOperation));
        CodeMap.Register(this);
    }

    private void FreeCode()
    {
        CodeMap.Unregister(this);
        NativeMemory.Free(State->JumpCache);
        NativeMemory.Free(_scratch);
        _code.Dispose();
    }
}
