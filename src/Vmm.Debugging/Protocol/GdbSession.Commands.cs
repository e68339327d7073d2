using Vmm.Debugging.Control;

namespace Vmm.Debugging.Protocol;

// The packets by their first letters (GDB manual, appendix E). An empty answer says that a packet is not known.
internal sealed partial class GdbSession
{
    private const string NoError = "OK";
    private const string Unknown = "";

    private string? Execute(string packet)
    {
        if (packet.Length == 0)
            return Unknown;
        string arguments = packet[1..];
        switch (packet[0])
        {
            case '?':
                return _target.ExitStatus is null ? StopReply() : ExitReply();
            case 'D':
                return Detach();
            case 'k':
                return Kill();
            case 'q' or 'Q':
                return Query(packet);
            case 'v':
                return Extended(packet);
            case 'H':
                return SelectThread(arguments);
            case 'T':
                return TryThread(arguments, out _) ? NoError : Malformed;
        }
        if (_target.ExitStatus is not null)
            return "cCsS".Contains(packet[0], StringComparison.Ordinal) ? ExitReply() : Malformed;
        // What follows looks at the guest or changes it.
        if (_target.IsRunning && "gGpPmMXcCsSzZ".Contains(packet[0], StringComparison.Ordinal))
            return NotStopped;
        return packet[0] switch
        {
            'g' => ReadRegisters(),
            'G' => WriteRegisters(arguments),
            'p' => ReadRegister(arguments),
            'P' => WriteRegister(arguments),
            'm' => ReadMemory(arguments),
            'M' => WriteMemory(arguments, isBinary: false),
            'X' => WriteMemory(arguments, isBinary: true),
            'c' or 's' => ResumeAt(packet[0], arguments),
            'C' or 'S' => ResumeAt(char.ToLowerInvariant(packet[0]), AfterSignal(arguments)),
            'Z' => SetPoint(arguments, isSet: true),
            'z' => SetPoint(arguments, isSet: false),
            _ => Unknown,
        };
    }

    private string? Extended(string packet)
    {
        if (packet == "vCont?")
            return _target.Partition.Capabilities.Has(Capability.SingleStep) ? "vCont;c;C;s;S;t" : "vCont;c;C;t";
        if (packet.StartsWith("vCont;", StringComparison.Ordinal))
            return Resume(packet["vCont;".Length..]);
        if (packet.StartsWith("vKill", StringComparison.Ordinal))
        {
            Kill();
            return NoError;
        }
        return Unknown;
    }

    private string Detach()
    {
        _ends = true;
        return NoError;
    }

    private string? Kill()
    {
        _ends = _killed = true;
        return null;
    }
}
