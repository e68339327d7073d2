using System.Globalization;
using System.Text;

namespace Vmm.Debugging.Protocol;

internal sealed partial class GdbSession
{
    private const int PieceOfOutput = 1024;

    private string Query(string packet)
    {
        int end = packet.AsSpan().IndexOfAny(',', ':', ';');
        string name = end < 0 ? packet : packet[..end];
        string arguments = end < 0 ? "" : packet[(end + 1)..];
        switch (name)
        {
            case "qSupported":
                return Supported(arguments);
            case "QStartNoAckMode":
                _noAcknowledgement = true;
                return NoError;
            case "qAttached":
                return "1"; // it was there before the debugger: to quit is to detach
            case "qC":
                return string.Create(CultureInfo.InvariantCulture, $"QC{_stop.Processor + 1:x}");
            case "qfThreadInfo":
                return "m" + string.Join(',', Enumerable.Range(1, ProcessorCount).Select(number => number.ToString("x", CultureInfo.InvariantCulture)));
            case "qsThreadInfo":
                return "l";
            case "qThreadExtraInfo":
                return ThreadInformation(arguments);
            case "qXfer":
                return Transfer(arguments);
            case "qRcmd":
                return Monitor(arguments);
            case "qSymbol":
                return NoError;
            default:
                return Unknown;
        }
    }

    private string Supported(string features)
    {
        foreach (string feature in features.Split(';'))
        {
            _knowsSoftwareBreakpoints |= feature == "swbreak+";
            _knowsHardwareBreakpoints |= feature == "hwbreak+";
        }
        return string.Create(
            CultureInfo.InvariantCulture,
            $"PacketSize={PacketParser.MaximumLength:x};QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+");
    }

    // features:read:ANNEX:OFFSET,LENGTH
    private string Transfer(string arguments)
    {
        string[] parts = arguments.Split(':');
        if (parts.Length != 4 || parts[0] != "features" || parts[1] != "read")
            return Unknown;
        if (parts[2] != "target.xml")
            return "E00";
        if (!Hex.TryPair(parts[3], out ulong offset, out ulong length))
            return Malformed;
        string text = _target.Layout.Description;
        if (offset >= (ulong)text.Length)
            return "l";
        int count = (int)Math.Min(Math.Min(length, MostBytes), (ulong)text.Length - offset);
        bool isLast = (int)offset + count == text.Length;
        return string.Concat(isLast ? "l" : "m", text.AsSpan((int)offset, count));
    }

    private string ThreadInformation(string arguments)
    {
        if (!TryThread(arguments, out int index) || index < 0)
            return Malformed;
        string text = $"processor {index}";
        if (!_target.IsRunning && _target.Partition.Capabilities.Has(Capability.EventState))
        {
            _target.Partition.Processors[index].GetState(RegisterGroups.Events, out ProcessorState state);
            text += state.Events.Activity switch
            {
                ProcessorActivity.Halted => ", halted",
                ProcessorActivity.WaitForSipi => ", waits for its start-up interrupt",
                ProcessorActivity.Shutdown => ", shut down",
                _ => "",
            };
        }
        return Hex.Of(text);
    }

    private string Monitor(string arguments)
    {
        if (!Hex.TryBytes(arguments, out byte[] command))
            return Malformed;
        string output = _target.IsRunning || _target.ExitStatus is not null
            ? "The guest is not stopped.\n"
            : MonitorCommands.Execute(Encoding.UTF8.GetString(command), Processor);
        byte[] bytes = Encoding.UTF8.GetBytes(output);
        for (int offset = 0; offset < bytes.Length; offset += PieceOfOutput)
            Send("O" + Hex.Of(bytes.AsSpan(offset, Math.Min(PieceOfOutput, bytes.Length - offset))));
        return NoError;
    }
}
