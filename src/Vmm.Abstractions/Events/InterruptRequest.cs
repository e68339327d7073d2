namespace Vmm;

/// <summary>Delivery mode of an <see cref="InterruptRequest"/> (SDM Vol. 3A 11.11.2).</summary>
public enum InterruptDeliveryMode : byte
{
    /// <summary>To the destination.</summary>
    Fixed = 0,

    /// <summary>To the destination processor with the lowest priority.</summary>
    LowestPriority = 1,

    /// <summary>NMI; the vector is ignored.</summary>
    NonMaskable = 4,

    /// <summary>INIT.</summary>
    Init = 5,

    /// <summary>
    /// ExtINT: the vector comes from the external interrupt source. No backend delivers a message of this kind: the emulator drops it, the
    /// Windows backend refuses it. The source reaches the bootstrap processor through LINT0.
    /// </summary>
    External = 7,
}

/// <summary>An interrupt message to the local APICs.</summary>
public readonly record struct InterruptRequest
{
    /// <summary>Vector, 16 to 255 for the modes that use it.</summary>
    public byte Vector { get; init; }

    /// <summary>Delivery mode.</summary>
    public InterruptDeliveryMode Mode { get; init; }

    /// <summary>APIC id, or logical destination.</summary>
    public uint Destination { get; init; }

    /// <summary>Logical rather than physical destination.</summary>
    public bool Logical { get; init; }

    /// <summary>Level-triggered: its EOI is reported.</summary>
    public bool LevelTriggered { get; init; }
}

/// <summary>An interrupt controller outside the processors: a PIC.</summary>
/// <remarks>Both members are called on the thread that runs the bootstrap processor.</remarks>
public interface IExternalInterruptSource
{
    /// <summary>It wants to interrupt. Must be cheap: it is read at each exit and whenever the guest becomes interruptible.</summary>
    bool Asserted { get; }

    /// <summary>Takes the interrupt: called only when it will be delivered at once.</summary>
    /// <returns>Vector, 0 to 255; negative when the request went away meanwhile and nothing shall be delivered.</returns>
    int Acknowledge();
}
