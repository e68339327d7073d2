using System.Text;
using Vmm.Debugging.Control;
using Vmm.Debugging.Registers;

namespace Vmm.Debugging.Protocol;

internal sealed partial class GdbSession
{
    private const int MostBytes = (PacketParser.MaximumLength - 64) / 2;

    private byte[] ValueOf(RegisterView view, int number)
    {
        RegisterEntry entry = _target.Layout.Entries[number];
        byte[] value = new byte[entry.Bytes];
        entry.Read(view, value);
        return value;
    }

    private string ReadRegisters()
    {
        RegisterView view = new(Processor);
        StringBuilder text = new(_target.Layout.Size * 2);
        for (int number = 0; number < _target.Layout.Entries.Count; number++)
            text.Append(Hex.Of(ValueOf(view, number)));
        return text.ToString();
    }

    private string WriteRegisters(string arguments)
    {
        if (!Hex.TryBytes(arguments, out byte[] values) || values.Length != _target.Layout.Size)
            return Malformed;
        RegisterView view = new(Processor);
        int offset = 0;
        for (int number = 0; number < _target.Layout.Entries.Count; number++)
        {
            RegisterEntry entry = _target.Layout.Entries[number];
            ReadOnlySpan<byte> value = values.AsSpan(offset, entry.Bytes);
            offset += entry.Bytes;
            // What stays as it is need not be acceptable.
            if (!value.SequenceEqual(ValueOf(view, number)))
                entry.Write(view, value);
        }
        view.Commit();
        return NoError;
    }

    private string ReadRegister(string arguments)
    {
        if (!Hex.TryNumber(arguments, out ulong number) || number >= (ulong)_target.Layout.Entries.Count)
            return Malformed;
        return Hex.Of(ValueOf(new RegisterView(Processor), (int)number));
    }

    private string WriteRegister(string arguments)
    {
        int equals = arguments.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || !Hex.TryNumber(arguments.AsSpan(0, equals), out ulong number) || number >= (ulong)_target.Layout.Entries.Count)
            return Malformed;
        RegisterEntry entry = _target.Layout.Entries[(int)number];
        if (!Hex.TryBytes(arguments.AsSpan(equals + 1), out byte[] value) || value.Length != entry.Bytes)
            return Malformed;
        RegisterView view = new(Processor);
        entry.Write(view, value);
        view.Commit();
        return NoError;
    }

    private string ReadMemory(string arguments)
    {
        if (!Hex.TryPair(arguments, out ulong address, out ulong length))
            return Malformed;
        byte[] bytes = new byte[(int)Math.Min(length, MostBytes)];
        int count = LinearMemory.Read(Processor, address, bytes);
        return count == 0 && length != 0 ? NoMemory : Hex.Of(bytes.AsSpan(0, count));
    }

    private string WriteMemory(string arguments, bool isBinary)
    {
        int colon = arguments.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !Hex.TryPair(arguments.AsSpan(0, colon), out ulong address, out ulong length))
            return Malformed;
        byte[] bytes;
        if (isBinary)
            bytes = Encoding.Latin1.GetBytes(arguments[(colon + 1)..]);
        else if (!Hex.TryBytes(arguments.AsSpan(colon + 1), out bytes))
            return Malformed;
        if ((ulong)bytes.Length != length)
            return Malformed;
        return LinearMemory.TryWrite(Processor, address, bytes) ? NoError : NoMemory;
    }

    private string SetPoint(string arguments, bool isSet)
    {
        // type,address,kind; conditions and commands are not announced, and refused.
        if (arguments.Length < 3 || arguments[1] != ',' || !Hex.TryPair(arguments.AsSpan(2), out ulong address, out ulong length) || arguments[0] is < '0' or > '4')
            return Malformed;
        PointType type = (PointType)(arguments[0] - '0');
        HypervisorCapabilities capabilities = _target.Partition.Capabilities;
        Capability needed = type <= PointType.HardwareBreakpoint ? Capability.Breakpoints : Capability.Watchpoints;
        if (!capabilities.Has(needed))
            return $"E.The {capabilities.Backend} backend has no {needed.Name}.";
        if (!isSet)
            _target.Points.Remove(type, address, (int)Math.Min(length, int.MaxValue));
        else if (!_target.Points.TryAdd(type, address, (int)Math.Min(length, int.MaxValue), capabilities.DebugPointLimit))
            return $"E.There is no room: {capabilities.DebugPointLimit} points, and {PointTable.LongestWatch} bytes in each watchpoint.";
        return NoError;
    }
}
