namespace Vmm.Replay;

internal sealed partial class ReplayedOperations
{
    private void DoMemory(OperationKind kind)
    {
        ISecondLevelAddressTranslation memory = _partition.Memory;
        switch (kind)
        {
            case OperationKind.Block:
                AddBlock();
                break;
            case OperationKind.Content:
                GuestMemory block = Block();
                ulong at = _reader.Number();
                block.Write(at, _reader.Bytes());
                break;
            case OperationKind.Map:
                ulong address = _reader.Number();
                GuestMemory mapped = Block();
                memory.Map(address, mapped, _reader.Number(), _reader.Number(), (GuestAccess)_reader.Byte(), _reader.Flag());
                break;
            case OperationKind.Unmap:
                memory.Unmap(_reader.Number(), _reader.Number());
                break;
            case OperationKind.Protect:
                memory.Protect(_reader.Number(), _reader.Number(), (GuestAccess)_reader.Byte());
                break;
            case OperationKind.Write:
                ulong start = _reader.Number();
                memory.Write(start, _reader.Bytes());
                break;
            case OperationKind.AddDoorbell:
                AddDoorbell(memory);
                break;
            case OperationKind.RemoveDoorbell:
                if (!_doorbells.Remove(_reader.Number(), out (IDisposable Registration, ManualResetEvent Signal) doorbell))
                    throw _reader.Damaged("removes a doorbell that is not there");
                doorbell.Registration.Dispose();
                doorbell.Signal.Dispose();
                break;
            default:
                throw _reader.Damaged($"has an operation of the unknown kind {(byte)kind}");
        }
    }

    private void AddBlock()
    {
        ulong number = _reader.Number(), length = _reader.Number();
        if (number != (ulong)_blocks.Count)
            throw _reader.Damaged("has a block of memory out of order");
        if (length == 0 || length % 4096 != 0 || length > RecordingFormat.MaximumMemory - _memory)
            throw _reader.Damaged($"has a block of 0x{length:X} bytes");
        _memory += length;
        _blocks.Add(_partition.AllocateMemory(length));
    }

    private GuestMemory Block()
    {
        ulong number = _reader.Number();
        return number < (ulong)_blocks.Count ? _blocks[(int)number] : throw _reader.Damaged($"names the block {number}");
    }

    private void AddDoorbell(ISecondLevelAddressTranslation memory)
    {
        ulong number = _reader.Number(), address = _reader.Number();
        int size = _reader.Small(8);
        bool hasValue = _reader.Flag();
        ulong value = _reader.Number();
        if (_doorbells.ContainsKey(number))
            throw _reader.Damaged("has a doorbell twice");
        ManualResetEvent signal = new(false);
        _doorbells.Add(number, (memory.RegisterDoorbell(new Doorbell(address, size, hasValue ? value : null), signal), signal));
    }
}
