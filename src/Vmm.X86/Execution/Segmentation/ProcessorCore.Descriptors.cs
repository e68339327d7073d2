namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // EXT of the error codes raised now: 1 while an event that the program did not ask for is delivered (SDM Vol. 3A 6.13).
    private uint _externalEvent;

    /// <summary>Records an exception whose error code is a selector: RPL replaced by EXT.</summary>
    private Outcome RaiseSelector(int vector, ushort selector) => Raise(vector, (selector & 0xFFFCU) | _externalEvent);

    private bool FailSelector(int vector, ushort selector)
    {
        RaiseSelector(vector, selector);
        return false;
    }

    private bool FailNull(int vector)
    {
        Raise(vector, _externalEvent);
        return false;
    }

    /// <summary>IA-32e mode is active.</summary>
    public bool IsLongMode => (State->Mode & ExecutionMode.LongMode) != 0;

    /// <summary>Protected mode, virtual-8086 apart: selectors name descriptors.</summary>
    public bool UsesDescriptors => (State->Mode & (ExecutionMode.Protected | ExecutionMode.Virtual8086)) == ExecutionMode.Protected;

    private static bool IsNull(ushort selector) => (selector & 0xFFFC) == 0;

    private ulong TableLinear(ulong address) => IsLongMode ? address : (uint)address;

    /// <summary>Where a selector's descriptor lies, and whether its <paramref name="size"/> bytes are inside the table.</summary>
    private bool FindDescriptor(ushort selector, uint size, out ulong address)
    {
        VcpuState* s = State;
        uint offset = selector & 0xFFF8U;
        if ((selector & 4) == 0)
        {
            address = TableLinear(s->Gdtr.Base + offset);
            return offset + size - 1 <= s->Gdtr.Limit;
        }
        ref SegmentRegister ldtr = ref s->Segments[SegmentIndex.Ldtr];
        address = TableLinear(ldtr.Base + offset);
        return !ldtr.Unusable && !IsNull(ldtr.Selector) && offset + size - 1 <= ldtr.Limit;
    }

    /// <summary>
    /// Reads the 8-byte descriptor of a selector that is not null. False: <paramref name="vector"/>(selector), #PF or an exit.
    /// </summary>
    private bool ReadDescriptor(ushort selector, int vector, out Descriptor descriptor)
    {
        descriptor = default;
        if (!FindDescriptor(selector, 8, out ulong address))
            return FailSelector(vector, selector);
        if (!ReadSystem(address, out ulong low))
            return false;
        descriptor = new Descriptor(low) { Address = address };
        return true;
    }

    /// <summary>
    /// Reads a selector's descriptor if it has one; a null selector and one beyond its table have none. False: #PF or an exit.
    /// </summary>
    internal bool TryReadDescriptor(ushort selector, out Descriptor descriptor, out bool found)
    {
        descriptor = default;
        found = FindDescriptor(selector, 8, out ulong address) && !IsNull(selector);
        if (!found)
            return true;
        if (!ReadSystem(address, out ulong low))
            return false;
        descriptor = new Descriptor(low) { Address = address };
        return true;
    }

    /// <summary>Reads the second half of a system descriptor in IA-32e mode; its type field must be zero.</summary>
    private bool ExtendDescriptor(ushort selector, int vector, ref Descriptor descriptor)
    {
        if (!FindDescriptor(selector, 16, out ulong address))
            return FailSelector(vector, selector);
        if (!ReadSystem(address + 8, out ulong high))
            return false;
        if ((high & 0x1F00_0000_0000) != 0)
            return FailSelector(vector, selector);
        descriptor = descriptor with { High = (uint)high };
        return true;
    }

    /// <summary>Sets the accessed bit in memory and in the copy. False: the store stopped.</summary>
    private bool MarkAccessed(ref Descriptor descriptor)
    {
        if ((descriptor.Low & (1UL << 40)) != 0)
            return true;
        descriptor = descriptor with { Low = descriptor.Low | (1UL << 40) };
        return ChangeSystem(descriptor.Address + 5, 1, 0);
    }
}
