using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>Where the second operand comes from, when not from memory.</summary>
internal unsafe interface ISource
{
    static abstract T Get<T>(VcpuState* s, DecodedOperation* op)
        where T : unmanaged;
}

internal readonly unsafe struct RegisterSource : ISource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Get<T>(VcpuState* s, DecodedOperation* op)
        where T : unmanaged => Width.Get<T>(s, op->Source);
}

internal readonly unsafe struct ImmediateSource : ISource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Get<T>(VcpuState* s, DecodedOperation* op)
        where T : unmanaged => Width.From<T>(op->Immediate);
}

/// <summary>An immediate of at most 32 bits kept where no address is, because the branch link needs the immediate's place.</summary>
internal readonly unsafe struct FusedImmediateSource : ISource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Get<T>(VcpuState* s, DecodedOperation* op)
        where T : unmanaged => Width.From<T>((ulong)*(int*)&op->Base);

    public static void Put(ref DecodedOperation operation, int value)
    {
        operation.Base = (ushort)value;
        operation.Index = (ushort)(value >> 16);
    }
}
