using System.Buffers.Binary;
using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>Time that stands still: what runs on by itself in the kernel is taken out of it, shown as it stood, and put back.</summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private const int InitialCountOffset = 0x380, CurrentCountOffset = 0x390;
    private const uint TscGroup = 0;
    private const ulong TscOffset = 0;

    private bool _timeStands;
    private ulong _tsc, _deadline;
    private uint _initialCount, _currentCount;

    /// <summary>
    /// The host's counter at the guests' frequency, which a processor's time-stamp counter is an offset from (KVM's API documentation,
    /// KVM_VCPU_TSC_OFFSET); null where the kernel does not tell offsets.
    /// </summary>
    public ulong? ReadClock() => TryGetOffset(out ulong offset) && TryGetMsr(MsrNumber.TimeStampCounter, out ulong now) ? now - offset : null;

    /// <summary>Takes time-stamp counter and timer out; the processor does not run.</summary>
    /// <param name="clock">What <see cref="ReadClock"/> gave, the same for all processors.</param>
    public void SuspendTime(ulong? clock)
    {
        if (_timeStands)
            return;
        if (clock is { } now && TryGetOffset(out ulong offset))
            _tsc = now + offset;
        else
            TryGetMsr(MsrNumber.TimeStampCounter, out _tsc);
        if (_partition.HasLocalApic)
        {
            TryGetMsr(MsrNumber.TscDeadline, out _deadline);
            Span<byte> page = stackalloc byte[ApicBytes];
            ReadApic(page);
            TakeCounts(page);
            WriteApic(page);
            TrySetMsr(MsrNumber.TscDeadline, 0);
        }
        _timeStands = true;
    }

    /// <summary>Puts them back.</summary>
    /// <param name="clock">What <see cref="ReadClock"/> gave, the same for all processors.</param>
    public void ResumeTime(ulong? clock)
    {
        if (!_timeStands)
            return;
        _timeStands = false;
        SetCounter(_tsc, clock);
        if (!_partition.HasLocalApic)
            return;
        Span<byte> page = stackalloc byte[ApicBytes];
        ReadApic(page);
        GiveCounts(page);
        WriteApic(page);
        TrySetMsr(MsrNumber.TscDeadline, _deadline);
    }

    /// <summary>Sets the time-stamp counter to what it is after power-on.</summary>
    /// <param name="clock">What <see cref="ReadClock"/> gave, the same for all processors.</param>
    public void StartCounter(ulong? clock)
    {
        if (!_timeStands)
            SetCounter(0, clock);
        else
            _tsc = _deadline = 0;
    }

    /// <summary>The distance of the time-stamp counter from the host's.</summary>
    internal bool TryGetOffset(out ulong offset)
    {
        ulong value = 0;
        KvmDeviceAttribute attribute = new() { Group = TscGroup, Attribute = TscOffset, Address = &value };
        bool done = Libc.Control(_file, KvmIoctl.GetDeviceAttribute, &attribute) == 0;
        offset = value;
        return done;
    }

    private bool WriteTsc(ulong value)
    {
        if (ReadClock() is { } clock)
            return SetOffset(value - clock);
        return SetAlone(value);
    }

    // Of processors whose counters are set one after the other, the kernel takes all but the first for an attempt to keep them together,
    // and makes the counters agree: just what is wanted.
    private void SetCounter(ulong value, ulong? clock)
    {
        if (clock is { } now)
            SetOffset(value - now);
        else if (Index == 0)
            SetAlone(value);
        else
            TrySetMsr(MsrNumber.TimeStampCounter, Math.Max(value, 1));
    }

    private bool SetOffset(ulong offset)
    {
        KvmDeviceAttribute attribute = new() { Group = TscGroup, Attribute = TscOffset, Address = &offset };
        return Libc.Control(_file, KvmIoctl.SetDeviceAttribute, &attribute) == 0;
    }

    // Before Linux 5.16 there are no offsets. Written as an MSR the kernel replaces a value within a second of what the counters of the
    // machine are at, and always 0, by what they are at: they are sent far away first.
    private bool SetAlone(ulong value)
    {
        const ulong Far = 1UL << 62;
        value = Math.Max(value, 1);
        return TrySetMsr(MsrNumber.TimeStampCounter, value ^ Far) && TrySetMsr(MsrNumber.TimeStampCounter, value);
    }

    // A timer whose initial count is zero is off (SDM Vol. 3A 11.5.4).
    private void TakeCounts(Span<byte> page)
    {
        _initialCount = BinaryPrimitives.ReadUInt32LittleEndian(page[InitialCountOffset..]);
        _currentCount = BinaryPrimitives.ReadUInt32LittleEndian(page[CurrentCountOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(page[InitialCountOffset..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(page[CurrentCountOffset..], 0);
    }

    private void GiveCounts(Span<byte> page)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(page[InitialCountOffset..], _initialCount);
        BinaryPrimitives.WriteUInt32LittleEndian(page[CurrentCountOffset..], _currentCount);
    }
}
