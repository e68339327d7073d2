namespace Vmm;

/// <summary>Register groups of one processor; which are valid is said by the <see cref="RegisterGroups"/> of the call.</summary>
public record struct ProcessorState
{
    /// <summary>General registers, RIP and RFLAGS.</summary>
    public GeneralRegisters General;

    /// <summary>Segment and descriptor-table registers.</summary>
    public SegmentRegisters Segments;

    /// <summary>Control registers.</summary>
    public ControlRegisters Control;

    /// <summary>Debug registers.</summary>
    public DebugRegisters Debug;

    /// <summary>Activity, shadows and pending events.</summary>
    public EventState Events;
}
