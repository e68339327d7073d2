namespace Vmm;

/// <summary>Kind of an <see cref="InjectedEvent"/>.</summary>
public enum InjectedEventKind : byte
{
    /// <summary>A maskable interrupt: waits for IF and shadows.</summary>
    ExternalInterrupt,

    /// <summary>An NMI: one may wait, blocked until IRET.</summary>
    NonMaskableInterrupt,

    /// <summary>An exception: delivered before the next instruction.</summary>
    Exception,
}

/// <summary>An event that the client injects.</summary>
public readonly record struct InjectedEvent
{
    /// <summary>Kind.</summary>
    public InjectedEventKind Kind { get; init; }

    /// <summary>Vector: 0 to 255 for interrupts, 0 to 31 for exceptions, but not 2, which an NMI has.</summary>
    public byte Vector { get; init; }

    /// <summary>The exception pushes an error code.</summary>
    public bool HasErrorCode { get; init; }

    /// <summary>Error code.</summary>
    public uint ErrorCode { get; init; }

    /// <summary>CR2 for #PF, DR6 bits for #DB.</summary>
    public ulong Payload { get; init; }

    /// <summary>A maskable interrupt.</summary>
    public static InjectedEvent Interrupt(byte vector) => new() { Kind = InjectedEventKind.ExternalInterrupt, Vector = vector };

    /// <summary>An NMI.</summary>
    public static InjectedEvent Nmi { get; } = new() { Kind = InjectedEventKind.NonMaskableInterrupt, Vector = 2 };

    /// <summary>An exception without error code.</summary>
    public static InjectedEvent Exception(byte vector) => new() { Kind = InjectedEventKind.Exception, Vector = vector };

    /// <summary>An exception with error code.</summary>
    public static InjectedEvent Exception(byte vector, uint errorCode, ulong payload = 0) =>
        new() { Kind = InjectedEventKind.Exception, Vector = vector, HasErrorCode = true, ErrorCode = errorCode, Payload = payload };
}

/// <summary>What became of an injected event.</summary>
public enum InjectionResult
{
    /// <summary>It is delivered before the next instruction.</summary>
    Injected,

    /// <summary>It waits until the guest can take it; nothing is lost.</summary>
    Deferred,
}
