using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>Header of one decoded block in native memory; its operations follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Block
{
    /// <summary>Guest-physical address of the first instruction byte.</summary>
    public ulong Physical;

    /// <summary>Next block with the same hash.</summary>
    public Block* NextInBucket;

    /// <summary>Number of the second page of an instruction that crosses pages, else <see cref="ulong.MaxValue"/>.</summary>
    public ulong SecondPage;

    /// <summary>The <see cref="VcpuState.Mode"/> it was decoded for.</summary>
    public uint Mode;

    /// <summary>Bytes of guest code.</summary>
    public ushort Length;

    /// <summary>First operation of a block.</summary>
    public static DecodedOperation* First(Block* block) => (DecodedOperation*)(block + 1);
}
