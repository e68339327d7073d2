namespace Vmm.Replay;

/// <summary>An address space whose changes, and what the host writes, are recorded.</summary>
internal sealed class RecordingMemory(RecordingPartition partition, ISecondLevelAddressTranslation inner) : ISecondLevelAddressTranslation
{
    private const int MostWindows = 256;

    private readonly List<(ulong Address, byte[] Copy)> _windows = []; // handed out for writing, oldest first
    private readonly Dictionary<int, Doorbell> _doorbells = [];
    private int _doorbellCount;

    public SlatFormat? Format => inner.Format;

    public int AddressBits => inner.AddressBits;

    public IReadOnlyList<MappedRegion> Regions => inner.Regions;

    public SlatStatistics Statistics => inner.Statistics;

    public void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false)
    {
        using HostTurn turn = partition.Enter();
        inner.Map(address, memory, offset, length, access, replace);
        partition.RecordMap(new MappedRegion(address, length, memory, offset, access), replace);
    }

    public void Unmap(ulong address, ulong length)
    {
        using HostTurn turn = partition.Enter();
        inner.Unmap(address, length);
        if (!partition.IsStarted)
            return;
        partition.Writer.Begin(OperationKind.Unmap);
        partition.Writer.Number(address);
        partition.Writer.Number(length);
    }

    public void Protect(ulong address, ulong length, GuestAccess access)
    {
        using HostTurn turn = partition.Enter();
        inner.Protect(address, length, access);
        if (!partition.IsStarted)
            return;
        partition.Writer.Begin(OperationKind.Protect);
        partition.Writer.Number(address);
        partition.Writer.Number(length);
        partition.Writer.Byte((byte)access);
    }

    public void Read(ulong address, Span<byte> destination) => inner.Read(address, destination);

    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        using HostTurn turn = partition.Enter();
        inner.Write(address, source);
        RecordWrite(address, source);
    }

    public ulong CompareExchange(ulong address, int size, ulong expected, ulong replacement)
    {
        using HostTurn turn = partition.Enter();
        ulong found = inner.CompareExchange(address, size, expected, replacement);
        if (found != expected)
            return found;
        Span<byte> written = stackalloc byte[8];
        inner.Read(address, written[..size]);
        RecordWrite(address, written[..size]);
        return found;
    }

    public bool TryGetSpan(ulong address, int length, bool write, out Span<byte> span)
    {
        if (!inner.TryGetSpan(address, length, write, out span))
            return false;
        if (!write || !partition.IsLive || !partition.IsStarted)
            return true;
        byte[] copy = span.ToArray();
        lock (_windows)
        {
            if (_windows.Count == MostWindows)
                _windows.RemoveAt(0);
            _windows.Add((address, copy));
        }
        span = copy;
        return true;
    }

    public void NotifyWritten(ulong address, ulong length)
    {
        using HostTurn turn = partition.Enter();
        lock (_windows)
        {
            for (int i = 0; i < _windows.Count; i++)
            {
                (ulong start, byte[] copy) = _windows[i];
                ulong from = Math.Max(address, start), to = Math.Min(address + length, start + (ulong)copy.Length);
                if (from >= to)
                    continue;
                inner.Write(from, copy.AsSpan((int)(from - start), (int)(to - from)));
                if (to == start + (ulong)copy.Length)
                    _windows.RemoveAt(i--);
            }
        }
        inner.NotifyWritten(address, length);
        if (!partition.IsStarted)
            return;
        byte[] piece = new byte[Math.Min(length, RecordingFormat.LongestPiece)];
        for (ulong done = 0; done < length; done += RecordingFormat.LongestPiece)
        {
            Span<byte> part = piece.AsSpan(0, (int)Math.Min(RecordingFormat.LongestPiece, length - done));
            inner.Read(address + done, part);
            RecordWrite(address + done, part);
        }
    }

    public PhysicalTranslationResult Translate(ulong address, GuestAccess access) => inner.Translate(address, access);

    public void TrackDirty(ulong address, ulong length, bool enable) => inner.TrackDirty(address, length, enable);

    public ulong GetAndClearDirty(ulong address, ulong length, Span<ulong> bitmap) => inner.GetAndClearDirty(address, length, bitmap);

    public ulong PeekDirty(ulong address, ulong length, Span<ulong> bitmap) => inner.PeekDirty(address, length, bitmap);

    public IDisposable RegisterDoorbell(in Doorbell doorbell, EventWaitHandle signal)
    {
        using HostTurn turn = partition.Enter();
        IDisposable registration = inner.RegisterDoorbell(in doorbell, signal);
        int number = _doorbellCount++;
        _doorbells.Add(number, doorbell);
        if (partition.IsStarted)
            RecordDoorbell(number, in doorbell);
        return new Registration(this, number, registration);
    }

    /// <summary>Records the doorbells that there are. The lock is held.</summary>
    public void RecordDoorbells()
    {
        foreach ((int number, Doorbell doorbell) in _doorbells)
            RecordDoorbell(number, in doorbell);
    }

    /// <summary>Records all that the guest sees. The lock is held.</summary>
    public void RecordAll()
    {
        foreach (MappedRegion region in inner.Regions)
        {
            for (ulong done = 0; done < region.Length; done += RecordingFormat.LongestPiece)
            {
                int length = (int)Math.Min(RecordingFormat.LongestPiece, region.Length - done);
                RecordWrite(region.Address + done, region.Memory.GetSpan(region.Offset + done, length));
            }
        }
    }

    private void RecordDoorbell(int number, in Doorbell doorbell)
    {
        OperationWriter writer = partition.Writer;
        writer.Begin(OperationKind.AddDoorbell);
        writer.Number((ulong)number);
        writer.Number(doorbell.Address);
        writer.Number((ulong)doorbell.Size);
        writer.Flag(doorbell.Value is not null);
        writer.Number(doorbell.Value ?? 0);
    }

    private void Remove(int number, IDisposable registration)
    {
        using HostTurn turn = partition.EnterUnlessDisposed();
        registration.Dispose();
        if (!turn.IsIn || !_doorbells.Remove(number) || !partition.IsStarted)
            return;
        partition.Writer.Begin(OperationKind.RemoveDoorbell);
        partition.Writer.Number((ulong)number);
    }

    private void RecordWrite(ulong address, ReadOnlySpan<byte> data)
    {
        if (!partition.IsStarted)
            return;
        while (!data.IsEmpty)
        {
            int length = Math.Min(data.Length, RecordingFormat.LongestPiece);
            partition.Writer.Begin(OperationKind.Write);
            partition.Writer.Number(address);
            partition.Writer.Bytes(data[..length]);
            address += (ulong)length;
            data = data[length..];
        }
    }

    private sealed class Registration(RecordingMemory memory, int number, IDisposable registration) : IDisposable
    {
        public void Dispose() => memory.Remove(number, registration);
    }
}
