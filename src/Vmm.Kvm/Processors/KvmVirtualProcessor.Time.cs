using System.Buffers.Binary;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>Time that stands still: what runs on by itself in the kernel is taken out of it, shown as it stood, and put back.</summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private const int InitialCountOffset = 0x380, CurrentCountOffset = 0x390;

    private bool _timeStands;
    private ulong _tsc, _deadline;
    private uint _initialCount, _currentCount;

    /// <summary>Takes time-stamp counter and timer out; the processor does not run.</summary>
    public void SuspendTime()
    {
        if (_timeStands)
            return;
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
    public void ResumeTime()
    {
        if (!_timeStands)
            return;
        _timeStands = false;
        WriteTsc(_tsc);
        if (!_partition.HasLocalApic)
            return;
        Span<byte> page = stackalloc byte[ApicBytes];
        ReadApic(page);
        GiveCounts(page);
        WriteApic(page);
        TrySetMsr(MsrNumber.TscDeadline, _deadline);
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
