using System.Buffers.Binary;
using System.Text;

namespace Vmm.Devices;

/// <summary>
/// The firmware configuration device of emulated PCs: items by number and files by name, which firmware reads through a selector at port
/// 0x510 and a data port 0x511, or has copied into memory by way of port 0x514 (QEMU, "QEMU Firmware Configuration (fw_cfg) Device").
/// The guest can write nothing.
/// </summary>
/// <remarks>All members may be called from any thread. Items and files are added before the guest runs.</remarks>
public sealed class FirmwareConfiguration : IPortDevice, ISaveableDevice
{
    /// <summary>First port.</summary>
    public const ushort Port = 0x510;

    /// <summary>Number of ports.</summary>
    public const int PortCount = 12;

    /// <summary>Bytes of the longest file name.</summary>
    public const int LongestName = 55;

    /// <summary>The most files.</summary>
    public const int MostFiles = FirstVendorKey - FirstFileKey;

    private const ushort DataPort = 0x511;
    private const ushort AddressHigh = 0x514;
    private const ushort AddressLow = 0x518;
    private const ushort FirstFileKey = 0x20;
    private const ushort FirstVendorKey = 0x4000;
    private const int DirectoryEntrySize = 64;
    private const uint Features = 3;

    private readonly Lock _gate = new();
    private readonly FirmwareConfigurationCopier _copier;
    private readonly Dictionary<ushort, ReadOnlyMemory<byte>> _items = [];
    private readonly Dictionary<ushort, Func<ReadOnlyMemory<byte>>> _makers = [];
    private readonly List<string> _names = [];
    private ushort _key;
    private uint _offset;
    private uint _addressHigh;

    /// <summary>Makes a device that has its signature, its features and an empty directory.</summary>
    /// <param name="memory">The guest's memory, into which items are copied.</param>
    public FirmwareConfiguration(ISecondLevelAddressTranslation memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _copier = new FirmwareConfigurationCopier(memory);
        Set(FirmwareConfigurationItem.Signature, "QEMU"u8.ToArray());
        Set(FirmwareConfigurationItem.Features, Features);
        _items[(ushort)FirmwareConfigurationItem.FileDirectory] = new byte[4];
    }

    /// <inheritdoc/>
    public string StateKind => "fw-cfg";

    /// <inheritdoc/>
    public int StateVersion => 1;

    /// <summary>The names of the files, in the order of adding.</summary>
    public IReadOnlyList<string> Files
    {
        get
        {
            lock (_gate)
                return [.. _names];
        }
    }

    /// <summary>Sets an item.</summary>
    /// <param name="item">Which; not the directory.</param>
    /// <param name="content">Its bytes.</param>
    public void Set(FirmwareConfigurationItem item, ReadOnlyMemory<byte> content)
    {
        if (item == FirmwareConfigurationItem.FileDirectory)
            throw new ArgumentException("The directory is made from the files: use AddFile.", nameof(item));
        lock (_gate)
            _items[(ushort)item] = content;
    }

    /// <summary>Sets an item that is a number of 16 bits.</summary>
    public void Set(FirmwareConfigurationItem item, ushort value)
    {
        byte[] content = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(content, value);
        Set(item, content);
    }

    /// <summary>Sets an item that is a number of 32 bits.</summary>
    public void Set(FirmwareConfigurationItem item, uint value)
    {
        byte[] content = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(content, value);
        Set(item, content);
    }

    /// <summary>Sets an item that is a number of 64 bits.</summary>
    public void Set(FirmwareConfigurationItem item, ulong value)
    {
        byte[] content = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(content, value);
        Set(item, content);
    }

    /// <summary>Adds a file.</summary>
    /// <param name="name">Its name, 1 to <see cref="LongestName"/> printable ASCII characters: <c>etc/e820</c>.</param>
    /// <param name="content">Its bytes.</param>
    /// <exception cref="ArgumentException">The name is taken, or cannot be one.</exception>
    /// <exception cref="InvalidOperationException">There are <see cref="MostFiles"/> files already.</exception>
    public void AddFile(string name, ReadOnlyMemory<byte> content) => Add(name, content, null);

    /// <summary>Adds a file that tells of something the guest may change.</summary>
    /// <param name="name">Its name, as of the other ones.</param>
    /// <param name="maker">
    /// Makes its bytes, now and again whenever the guest begins to read; their number never changes. Called on the thread of the processor
    /// that reads.
    /// </param>
    /// <exception cref="ArgumentException">The name is taken, or cannot be one.</exception>
    /// <exception cref="InvalidOperationException">There are <see cref="MostFiles"/> files already.</exception>
    public void AddChangingFile(string name, Func<ReadOnlyMemory<byte>> maker)
    {
        ArgumentNullException.ThrowIfNull(maker);
        Add(name, maker(), maker);
    }

    /// <inheritdoc/>
    public uint Read(ushort port, int size)
    {
        switch (port)
        {
            case DataPort when size == 1:
                lock (_gate)
                {
                    ReadOnlySpan<byte> content = Selected.Span;
                    return _offset < (uint)content.Length ? content[(int)_offset++] : 0u;
                }
            case AddressHigh when size == 4:
                return BinaryPrimitives.ReadUInt32LittleEndian("QEMU"u8);
            case AddressLow when size == 4:
                return BinaryPrimitives.ReadUInt32LittleEndian(" CFG"u8);
            default:
                return 0;
        }
    }

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value)
    {
        lock (_gate)
        {
            switch (port)
            {
                case Port when size == 2:
                    Select((ushort)value);
                    break;
                case AddressHigh when size == 4:
                    _addressHigh = BinaryPrimitives.ReverseEndianness(value);
                    break;
                case AddressLow when size == 4:
                    ulong address = (ulong)_addressHigh << 32 | BinaryPrimitives.ReverseEndianness(value);
                    _addressHigh = 0;
                    Transfer(address);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public void ExchangeState(DeviceStateExchange state)
    {
        ArgumentNullException.ThrowIfNull(state);
        lock (_gate)
        {
            state.Value("key", ref _key);
            state.Value("offset", ref _offset);
            state.Value("address-high", ref _addressHigh);
        }
    }

    private ReadOnlyMemory<byte> Selected => _items.GetValueOrDefault(_key);

    private void Add(string name, ReadOnlyMemory<byte> content, Func<ReadOnlyMemory<byte>>? maker)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > LongestName || name.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException(
                $"'{name}' cannot name a file: 1 to {LongestName} printable ASCII characters without spaces can.", nameof(name));
        }
        lock (_gate)
        {
            if (_names.Contains(name))
                throw new ArgumentException($"There is already a file '{name}'.", nameof(name));
            if (_names.Count == MostFiles)
                throw new InvalidOperationException($"There are {MostFiles} files already.");
            ushort key = (ushort)(FirstFileKey + _names.Count);
            _items[key] = content;
            if (maker is not null)
                _makers[key] = maker;
            _names.Add(name);
            _items[(ushort)FirmwareConfigurationItem.FileDirectory] = Directory();
        }
    }

    private void Select(ushort key)
    {
        _key = key;
        _offset = 0;
        if (_makers.TryGetValue(key, out Func<ReadOnlyMemory<byte>>? maker))
            _items[key] = maker();
    }

    private void Transfer(ulong address)
    {
        if (!_copier.TryReadCommand(address, out FirmwareConfigurationCommand command))
            return;
        bool succeeded = true;
        if (command.Selects)
            Select(command.Key);
        if (command.Reads)
        {
            ReadOnlySpan<byte> rest = Selected.Span;
            rest = rest[(int)Math.Min(_offset, (uint)rest.Length)..];
            if ((uint)rest.Length > command.Length)
                rest = rest[..(int)command.Length];
            succeeded = _copier.TryCopy(command.Address, rest, command.Length);
            _offset += (uint)rest.Length;
        }
        else if (command.Writes)
        {
            succeeded = false;
        }
        else if (command.Skips)
        {
            uint length = (uint)Selected.Length;
            uint offset = Math.Min(_offset, length);
            _offset = offset + Math.Min(command.Length, length - offset);
        }
        _copier.Finish(address, succeeded);
    }

    // Number of files, then size, key and name of each; all numbers big-endian.
    private byte[] Directory()
    {
        byte[] directory = new byte[4 + _names.Count * DirectoryEntrySize];
        BinaryPrimitives.WriteInt32BigEndian(directory, _names.Count);
        for (int index = 0; index < _names.Count; index++)
        {
            ushort key = (ushort)(FirstFileKey + index);
            Span<byte> entry = directory.AsSpan(4 + index * DirectoryEntrySize, DirectoryEntrySize);
            BinaryPrimitives.WriteInt32BigEndian(entry, _items[key].Length);
            BinaryPrimitives.WriteUInt16BigEndian(entry[4..], key);
            Encoding.ASCII.GetBytes(_names[index], entry[8..]);
        }
        return directory;
    }
}
