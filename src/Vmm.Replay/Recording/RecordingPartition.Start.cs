namespace Vmm.Replay;

internal sealed partial class RecordingPartition
{
    private readonly Dictionary<GuestMemory, int> _blocks = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// Before the first instruction: everything that the client has set up so far is recorded as it stands. The lock is held.
    /// </summary>
    public void EnsureStarted()
    {
        if (IsStarted)
            return;
        IsStarted = true;
        RecordAdvance(_time.Nanoseconds);
        foreach (MappedRegion region in _inner.Memory.Regions)
            RecordMap(in region, false);
        _memory.RecordDoorbells();
        foreach (RecordingProcessor processor in _processors)
            processor.IsTouched = true;
        WriteTouched();
    }

    /// <summary>Memory was mapped. The lock is held.</summary>
    public void RecordMap(in MappedRegion region, bool replace)
    {
        if (!IsStarted)
            return;
        bool isNew = !_blocks.TryGetValue(region.Memory, out int block);
        if (isNew)
        {
            block = _blocks.Count;
            _blocks.Add(region.Memory, block);
            _writer.Begin(OperationKind.Block);
            _writer.Number((ulong)block);
            _writer.Number(region.Memory.Length);
        }
        if (isNew || !IsMappedElsewhere(in region))
            RecordContent(block, region.Memory, isNew);
        _writer.Begin(OperationKind.Map);
        _writer.Number(region.Address);
        _writer.Number((ulong)block);
        _writer.Number(region.Offset);
        _writer.Number(region.Length);
        _writer.Byte((byte)region.Access);
        _writer.Flag(replace);
    }

    /// <summary>Records the state that the client has set since it was last looked at. The lock is held.</summary>
    private void WriteTouched()
    {
        foreach (RecordingProcessor processor in _processors)
        {
            if (!processor.IsTouched || processor.Inner.IsPending)
                continue;
            processor.IsTouched = false;
            ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(processor.Inner);
            _writer.Begin(OperationKind.State);
            _writer.Byte((byte)processor.Index);
            StateCodec.Write(_writer, snapshot);
        }
    }

    // While any of a block is mapped, what changes in it is recorded as it changes.
    private bool IsMappedElsewhere(in MappedRegion region)
    {
        foreach (MappedRegion other in _inner.Memory.Regions)
        {
            bool isOther = other.Address + other.Length <= region.Address || other.Address >= region.Address + region.Length;
            if (isOther && ReferenceEquals(other.Memory, region.Memory))
                return true;
        }
        return false;
    }

    private void RecordContent(int block, GuestMemory memory, bool isZero)
    {
        for (ulong offset = 0; offset < memory.Length; offset += RecordingFormat.LongestPiece)
        {
            ReadOnlySpan<byte> piece = memory.GetSpan(offset, (int)Math.Min(RecordingFormat.LongestPiece, memory.Length - offset));
            if (isZero && !piece.ContainsAnyExcept((byte)0))
                continue;
            _writer.Begin(OperationKind.Content);
            _writer.Number((ulong)block);
            _writer.Number(offset);
            _writer.Bytes(piece);
        }
    }
}
