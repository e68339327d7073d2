namespace Vmm.Devices;

/// <summary>Registers behind an index port; those that there are not read 0.</summary>
/// <param name="name">What saved state calls them.</param>
/// <param name="count">Number of registers.</param>
/// <param name="indexMask">The bits that an index has.</param>
internal sealed class VgaRegisterFile(string name, int count, byte indexMask)
{
    private readonly byte[] _values = new byte[count];
    private byte _index;

    public byte Index
    {
        get => _index;
        set => _index = (byte)(value & indexMask);
    }

    public byte Selected
    {
        get => _index < _values.Length ? _values[_index] : (byte)0;
        set
        {
            if (_index < _values.Length)
                _values[_index] = value;
        }
    }

    public byte this[int register] => _values[register];

    public void Load(ReadOnlySpan<byte> values)
    {
        values.CopyTo(_values);
        _index = 0;
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        state.Bytes(name, _values);
        state.Value(name + "-index", ref _index, indexMask);
    }
}
