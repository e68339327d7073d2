namespace Vmm.Emulator.Interrupts;

/// <summary>An interrupt message to the local APICs.</summary>
internal readonly record struct ApicMessage
{
    /// <summary>Vector; the page of a start-up interrupt.</summary>
    public byte Vector { get; init; }

    /// <summary>Delivery mode.</summary>
    public ApicDeliveryMode Mode { get; init; }

    /// <summary>Who is meant, apart from the destination.</summary>
    public ApicShorthand Shorthand { get; init; }

    /// <summary>APIC id, or logical destination.</summary>
    public uint Destination { get; init; }

    /// <summary>The destination is logical.</summary>
    public bool Logical { get; init; }

    /// <summary>The destination names every processor: all ones in the sender's own width.</summary>
    public bool Broadcast { get; init; }

    /// <summary>Level-triggered: its EOI is reported.</summary>
    public bool LevelTriggered { get; init; }

    /// <summary>A message of a device: an MSI, or one from an I/O APIC.</summary>
    public static ApicMessage FromRequest(in InterruptRequest request) => new()
    {
        Vector = request.Vector,
        Mode = (ApicDeliveryMode)request.Mode,
        Destination = request.Destination,
        Logical = request.Logical,
        Broadcast = !request.Logical && request.Destination is 0xFF or uint.MaxValue,
        LevelTriggered = request.LevelTriggered,
    };
}
