using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: an intercepted exception.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct WhvVpExceptionContext
{
    [FieldOffset(0)]
    public byte InstructionByteCount;

    [FieldOffset(4)]
    public fixed byte InstructionBytes[16];

    [FieldOffset(20)]
    public WhvVpExceptionInfo ExceptionInfo;

    [FieldOffset(24)]
    public byte ExceptionType;

    [FieldOffset(28)]
    public uint ErrorCode;

    [FieldOffset(32)]
    public ulong ExceptionParameter;
}
