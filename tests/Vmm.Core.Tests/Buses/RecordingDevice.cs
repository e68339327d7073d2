namespace Vmm.Core.Tests.Buses;

/// <summary>Answers every read with a fixed value and writes down what it was asked.</summary>
internal sealed class RecordingDevice(ulong answer = 0) : IPortDevice, IMmioDevice
{
    internal List<string> Accesses { get; } = [];

    public uint Read(ushort port, int size)
    {
        Accesses.Add($"in {port:X} {size}");
        return (uint)answer;
    }

    public void Write(ushort port, int size, uint value) => Accesses.Add($"out {port:X} {size} {value:X}");

    public ulong Read(ulong offset, int size)
    {
        Accesses.Add($"read {offset:X} {size}");
        return answer;
    }

    public void Write(ulong offset, int size, ulong value) => Accesses.Add($"write {offset:X} {size} {value:X}");
}
