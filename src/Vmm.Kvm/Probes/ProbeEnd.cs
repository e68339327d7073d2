using System.Globalization;

namespace Vmm.Kvm.Probes;

/// <summary>The one exit that a probe's guest ends with on a processor.</summary>
/// <param name="Kind">Kind of exit; of all but port writes no more is looked at.</param>
/// <param name="Port">Port written.</param>
/// <param name="Value">Value written.</param>
internal readonly record struct ProbeEnd(ExitKind Kind, ushort Port, uint Value)
{
    /// <summary>Guests write their answer here.</summary>
    public const ushort AnswerPort = 0xFD;

    /// <summary>Guests write here to have the next event injected.</summary>
    public const ushort PausePort = 0xFC;

    /// <summary>The handlers that nothing else is said of write their vector here.</summary>
    public const ushort VectorPort = 0xFA;

    public static ProbeEnd Shutdown { get; } = new(ExitKind.Shutdown, 0, 0);

    /// <summary>A stop for the host's debugger.</summary>
    public static ProbeEnd DebugStop { get; } = new(ExitKind.Debug, 0, 0);

    /// <summary>A refusal by the second level.</summary>
    public static ProbeEnd Violation { get; } = new(ExitKind.SlatViolation, 0, 0);

    public static ProbeEnd Answer(uint value) => new(ExitKind.PortIo, AnswerPort, value);

    public static ProbeEnd Exception(byte vector) => new(ExitKind.PortIo, VectorPort, vector);

    public bool Matches(in VpExit exit) =>
        exit.Kind == Kind && (Kind != ExitKind.PortIo || (exit.PortIo is { IsWrite: true } write && write.Port == Port && (uint)write.Value == Value));

    /// <summary>An exit in words.</summary>
    public static string Describe(in VpExit exit)
    {
        if (exit.Kind == ExitKind.PortIo && exit.PortIo is { IsWrite: true, Port: AnswerPort } answer)
            return Answer((uint)answer.Value).ToString();
        if (exit.Kind == ExitKind.PortIo && exit.PortIo is { IsWrite: true, Port: VectorPort } vector)
            return Exception((byte)vector.Value).ToString();
        return exit.ToString();
    }

    public override string ToString() => Kind != ExitKind.PortIo
        ? Kind.ToString()
        : Port == VectorPort
            ? string.Create(CultureInfo.InvariantCulture, $"exception {Value}")
            : string.Create(CultureInfo.InvariantCulture, $"the answer 0x{Value:X}");
}
