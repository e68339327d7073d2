using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Processors;

/// <summary>The memory that a processor shares with the kernel; unmapped with its owner.</summary>
// SAFETY: the address is that of a mapping of the length that the kernel told, which lasts until Free; the structure lies at its start.
internal sealed unsafe class RunPage
{
    private readonly nuint _length;
    private byte* _address;

    public RunPage(int processor, int length)
    {
        _length = (nuint)length;
        nint address = Libc.Map(0, _length, Libc.ProtectionReadWrite, Libc.MapShared, processor, 0);
        if (address == Libc.MapFailed)
            throw KvmFailure.Last("mmap", "the run page of a processor");
        _address = (byte*)address;
    }

    /// <summary>The structure; null once freed.</summary>
    public KvmRun* Run => (KvmRun*)_address;

    /// <summary>Data of the port access that is told; empty where what is told lies outside.</summary>
    public Span<byte> PortData
    {
        get
        {
            ulong offset = Run->IoDataOffset, length = (ulong)Run->IoSize * Run->IoCount;
            return offset <= _length && length <= _length - offset ? new Span<byte>(_address + offset, (int)length) : default;
        }
    }

    /// <summary>Unmaps it; no call uses it any more.</summary>
    public void Free()
    {
        if (_address != null)
            _ = Libc.Unmap((nint)_address, _length);
        _address = null;
    }
}
