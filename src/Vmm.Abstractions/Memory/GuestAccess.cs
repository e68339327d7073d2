namespace Vmm;

/// <summary>Kinds of access, and rights to them.</summary>
[Flags]
public enum GuestAccess : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Data reads.</summary>
    Read = 1,

    /// <summary>Data writes; not without <see cref="Read"/>.</summary>
    Write = 2,

    /// <summary>Instruction fetches.</summary>
    Execute = 4,

    /// <summary>Reads and writes.</summary>
    ReadWrite = Read | Write,

    /// <summary>Reads and fetches: ROM.</summary>
    ReadExecute = Read | Execute,

    /// <summary>All.</summary>
    All = Read | Write | Execute,
}
