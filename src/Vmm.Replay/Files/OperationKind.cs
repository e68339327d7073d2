namespace Vmm.Replay;

/// <summary>What a recording is made of: everything that the host did to the guest, in the order in which it took effect.</summary>
internal enum OperationKind : byte
{
    None,

    /// <summary>Block, length: a block of memory, zero.</summary>
    Block,

    /// <summary>Block, offset, bytes: content of a block that the guest does not see yet.</summary>
    Content,

    /// <summary>Address, block, offset, length, rights, replace.</summary>
    Map,

    /// <summary>Address, length.</summary>
    Unmap,

    /// <summary>Address, length, rights.</summary>
    Protect,

    /// <summary>Address, bytes: the host, or a device, wrote memory.</summary>
    Write,

    /// <summary>Number, address, size, value: a doorbell from here on.</summary>
    AddDoorbell,

    /// <summary>Number.</summary>
    RemoveDoorbell,

    /// <summary>Processor, elements: the client set state.</summary>
    State,

    /// <summary>Whether memory is kept.</summary>
    Reset,

    /// <summary>Processor, time, what was left to its limit, exit: it ran until there.</summary>
    Run,

    /// <summary>Processor, time, done or an exit: its pending instruction was finished.</summary>
    Complete,

    /// <summary>Processor, value.</summary>
    Read,

    /// <summary>Processor, bytes: elements of a string input.</summary>
    ReadString,

    /// <summary>Processor, four registers.</summary>
    Cpuid,

    /// <summary>Processor.</summary>
    Fault,

    /// <summary>Processor, resolution.</summary>
    Resolution,

    /// <summary>Processor, event.</summary>
    Inject,

    /// <summary>An interrupt message.</summary>
    Request,

    /// <summary>Whether the external interrupt source asks.</summary>
    Asserted,

    /// <summary>Time, vector and whether it still asks: the source was asked during the run that follows.</summary>
    Acknowledge,

    /// <summary>Processor, single step, points: what the host's debugger asks for.</summary>
    Debugging,

    /// <summary>Time: it was moved to there.</summary>
    Advance,

    /// <summary>Time, instruction counts, checksum of memory: what the guest came to.</summary>
    Finish,
}
