using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Processor features in banks; BanksCount is written before use.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal unsafe struct WhvProcessorFeaturesBanks
{
    [FieldOffset(0)]
    public uint BanksCount;

    [FieldOffset(8)]
    public WhvX64ProcessorFeatures Bank0;

    [FieldOffset(16)]
    public WhvX64ProcessorFeatures1 Bank1;

    [FieldOffset(8)]
    public fixed ulong AsUInt64[2];
}
