using Vmm.Emulator;

namespace Vmm.Devices.Tests;

/// <summary>Memory of a guest: 4 MiB of RAM at 0, of which the page at 0x9000 is read-only, and nothing above.</summary>
internal sealed class GuestRam : IDisposable
{
    public const ulong Size = 4 << 20;
    public const ulong ReadOnlyPage = 0x9000;

    private readonly IPartition _partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions());
    private readonly GuestMemory _block;

    public GuestRam()
    {
        _block = _partition.AllocateMemory(Size);
        _partition.Memory.Map(0, _block, 0, Size, GuestAccess.All);
        _partition.Memory.Protect(ReadOnlyPage, 4096, GuestAccess.ReadExecute);
        Device = new DeviceMemory(_partition.Memory);
    }

    public DeviceMemory Device { get; }

    public void Write(ulong address, params ReadOnlySpan<byte> data) => _partition.Memory.Write(address, data);

    public void Write16(ulong address, int value) => Write(address, BitConverter.GetBytes((ushort)value));

    public void Write32(ulong address, uint value) => Write(address, BitConverter.GetBytes(value));

    public void Write64(ulong address, ulong value) => Write(address, BitConverter.GetBytes(value));

    public byte[] Read(ulong address, int length)
    {
        byte[] data = new byte[length];
        _partition.Memory.Read(address, data);
        return data;
    }

    public ushort Read16(ulong address) => BitConverter.ToUInt16(Read(address, 2));

    public uint Read32(ulong address) => BitConverter.ToUInt32(Read(address, 4));

    public void Dispose()
    {
        _partition.Dispose();
        _block.Dispose();
    }
}
