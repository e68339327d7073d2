namespace Vmm;

/// <summary>Groups of registers, to read or write only what is needed.</summary>
[Flags]
public enum RegisterGroups
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><see cref="ProcessorState.General"/>.</summary>
    General = 1,

    /// <summary><see cref="ProcessorState.Segments"/>.</summary>
    Segments = 2,

    /// <summary><see cref="ProcessorState.Control"/>.</summary>
    Control = 4,

    /// <summary><see cref="ProcessorState.Debug"/>.</summary>
    Debug = 8,

    /// <summary><see cref="ProcessorState.Events"/>. Needs <see cref="Capability.EventState"/>.</summary>
    Events = 16,

    /// <summary>General, segment, control and debug registers.</summary>
    Registers = General | Segments | Control | Debug,

    /// <summary>All.</summary>
    All = Registers | Events,
}
