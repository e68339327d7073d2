using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Feeds the decoder from host memory, and ends where the code does.</summary>
// SAFETY: reads only between the two pointers, which the caller keeps mapped for the time of one decode.
internal sealed unsafe class HostCodeReader : CodeReader
{
    private byte* _next;
    private byte* _end;

    public void Set(byte* start, byte* end)
    {
        _next = start;
        _end = end;
    }

    /// <summary>Goes back over bytes just read.</summary>
    public void Back(int count) => _next -= count;

    public override int ReadByte() => _next < _end ? *_next++ : -1;
}
