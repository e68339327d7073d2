using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What an access to one model-specific register does (property MsrActionList).</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvMsrActionEntry
{
    [FieldOffset(0)]
    public uint Index;

    [FieldOffset(4)]
    public byte ReadAction;

    [FieldOffset(5)]
    public byte WriteAction;
}
