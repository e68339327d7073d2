using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Processors;

/// <summary>
/// Native memory of one processor that calls go through: the exit context, and names and values of registers, aligned as the platform
/// demands.
/// </summary>
internal sealed unsafe class WhvScratch
{
    /// <summary>Most registers of one call.</summary>
    public const int Capacity = 64;

    private const int ExitBytes = 256, NameBytes = Capacity * sizeof(WhvRegisterName);
    private byte* _memory;

    public WhvScratch()
    {
        const int Length = ExitBytes + NameBytes + (Capacity * 16);
        // SAFETY: every part below starts at a multiple of 64 bytes inside this block.
        _memory = (byte*)NativeMemory.AlignedAlloc(Length, 64);
        NativeMemory.Clear(_memory, Length);
    }

    public WhvRunVpExitContext* Exit => (WhvRunVpExitContext*)_memory;

    public WhvRegisterName* Names => (WhvRegisterName*)(_memory + ExitBytes);

    public WhvRegisterValue* Values => (WhvRegisterValue*)(_memory + ExitBytes + NameBytes);

    /// <summary>Frees the memory; no call uses it any more.</summary>
    public void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
