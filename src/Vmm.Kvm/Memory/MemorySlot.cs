namespace Vmm.Kvm.Memory;

/// <summary>A piece of guest memory as the kernel knows it.</summary>
/// <param name="Address">Guest-physical address.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Host">Address in this process.</param>
/// <param name="IsReadOnly">Stores exit.</param>
/// <param name="IsTracked">The kernel logs dirty pages.</param>
internal readonly record struct MemorySlot(ulong Address, ulong Length, nint Host, bool IsReadOnly, bool IsTracked)
{
    /// <summary>The first address past it.</summary>
    public ulong End => Address + Length;

    /// <summary>The part between two addresses inside it.</summary>
    public MemorySlot Part(ulong first, ulong end) =>
        this with { Address = first, Length = end - first, Host = Host + (nint)(first - Address) };

    /// <summary>Whether another one continues this one in every respect.</summary>
    public bool IsContinuedBy(in MemorySlot next) =>
        End == next.Address && Host + (nint)Length == next.Host && IsReadOnly == next.IsReadOnly && IsTracked == next.IsTracked;
}
