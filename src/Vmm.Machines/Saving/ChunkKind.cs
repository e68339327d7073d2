namespace Vmm.Machines;

/// <summary>What a chunk of a saved machine holds; in this order in the file.</summary>
internal enum ChunkKind : uint
{
    /// <summary>One, first: what the machine is made of, and its time.</summary>
    Machine = 1,

    /// <summary>One for each processor, by index: its state elements.</summary>
    Processor = 2,

    /// <summary>One for each device.</summary>
    Device = 3,

    /// <summary>Any number, by rising offset: pages of RAM that are not zero.</summary>
    Memory = 4,

    /// <summary>One, last.</summary>
    End = 5,
}
