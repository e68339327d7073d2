using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>
/// A virtio device as a PCI function (Virtual I/O Device 1.2, 4.1): the modern interface in one window of memory, INTA#, and MSI-X where
/// there are local APICs.
/// </summary>
public sealed class VirtioPciFunction : PciFunction, IVirtioTransport
{
    private const ushort VendorId = 0x1AF4;
    private const ushort FirstDeviceId = 0x1040;
    private const byte VendorCapability = 0x09;
    private const byte MsixCapability = 0x11;
    private const int RegisterWindow = 0;
    private const int MsixWindow = 1;

    private readonly VirtioPciRegisters _registers;
    private readonly MsixTable? _msix;
    private readonly int _accessCapability;
    private readonly int _msixCapability;

    /// <summary>Carries a device.</summary>
    /// <param name="device">The device, not attached to anything else.</param>
    /// <param name="messages">Sends interrupt messages to the local APICs; null where there are none: then there is no MSI-X.</param>
    public VirtioPciFunction(VirtioDevice device, InterruptMessage? messages)
        : base(IdentityOf(device))
    {
        Device = device;
        _msix = messages is null ? null : new MsixTable(device.Queues.Length + 1, messages);
        _registers = new VirtioPciRegisters(device, _msix, SetInterrupt);
        AddBar(new PciBar(RegisterWindow, PciBarKind.Memory32, VirtioPciRegisters.WindowSize, _registers));
        AddStructure(1, VirtioPciRegisters.CommonOffset, VirtioPciRegisters.CommonSize);
        AddStructure(3, VirtioPciRegisters.InterruptOffset, 4);
        AddStructure(4, VirtioPciRegisters.DeviceOffset, (uint)Math.Max(4, device.Configuration.Length));
        AddStructure(2, VirtioPciRegisters.NotifyOffset, (uint)device.Queues.Length * VirtioPciRegisters.NotifyMultiplier,
            VirtioPciRegisters.NotifyMultiplier);
        _accessCapability = AddStructure(5, 0, 0, 0);
        SetWritable(_accessCapability + 4, 1, 0xFF);
        for (int register = 8; register <= 16; register += 4)
            SetWritable(_accessCapability + register, 4, uint.MaxValue);
        if (_msix is not null)
        {
            AddBar(new PciBar(MsixWindow, PciBarKind.Memory32, MsixTable.WindowSize, _msix));
            Span<byte> body = stackalloc byte[10];
            BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)(_msix.Count - 1));
            BinaryPrimitives.WriteUInt32LittleEndian(body[2..], MsixWindow);
            BinaryPrimitives.WriteUInt32LittleEndian(body[6..], MsixTable.PendingOffset | MsixWindow);
            _msixCapability = AddCapability(MsixCapability, body);
            SetWritable(_msixCapability + 2, 2, 0xC000);
        }
        device.Attach(this);
    }

    /// <summary>The device.</summary>
    public VirtioDevice Device { get; }

    void IVirtioTransport.SignalQueues(uint queues) => _registers.SignalQueues(queues);

    void IVirtioTransport.SignalConfiguration() => _registers.SignalConfiguration();

    /// <inheritdoc/>
    protected override void OnConfigurationReading(int offset, int size)
    {
        if (Touches(offset, size, _accessCapability + 16, 4) && TryGetAccess(out uint register, out int length))
            Put32(_accessCapability + 16, (uint)_registers.Read(register, length));
    }

    /// <inheritdoc/>
    protected override void OnConfigurationWritten(int offset, int size, uint value)
    {
        if (Touches(offset, size, _accessCapability + 16, 4) && TryGetAccess(out uint register, out int length))
            _registers.Write(register, length, Get32(_accessCapability + 16) & (uint.MaxValue >> (32 - 8 * length)));
        if (_msix is not null && Touches(offset, size, _msixCapability + 2, 2))
            UpdateMsix();
    }

    /// <inheritdoc/>
    protected override void OnReset()
    {
        _msix?.Reset();
        Device.ResetDevice();
        _registers.Reset();
    }

    /// <inheritdoc/>
    protected override void OnExchangeState(DeviceStateExchange state)
    {
        _registers.ExchangeState(state);
        if (_msix is not null)
            state.Part("msix", _msix.ExchangeState);
    }

    private static PciIdentity IdentityOf(VirtioDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        uint classCode = device.Kind switch
        {
            VirtioDeviceKind.Network => 0x02_0000,
            VirtioDeviceKind.Block => 0x01_0000,
            VirtioDeviceKind.Console => 0x07_8000,
            _ => 0x00_FF00u,
        };
        return new PciIdentity(VendorId, (ushort)(FirstDeviceId + (int)device.Kind), classCode)
        {
            Revision = 1,
            SubsystemVendorId = VendorId,
            SubsystemId = (ushort)(FirstDeviceId + (int)device.Kind),
            InterruptPin = 1,
        };
    }

    // A vendor capability that says where a structure lies (4.1.4).
    private int AddStructure(byte type, uint offset, uint length, uint? extra = null)
    {
        Span<byte> body = stackalloc byte[extra is null ? 14 : 18];
        body.Clear();
        body[0] = (byte)(body.Length + 2);
        body[1] = type;
        body[2] = RegisterWindow;
        BinaryPrimitives.WriteUInt32LittleEndian(body[6..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(body[10..], length);
        if (extra is { } value)
            BinaryPrimitives.WriteUInt32LittleEndian(body[14..], value);
        return AddCapability(VendorCapability, body);
    }

    // The window through configuration space (4.1.4.9): which register, and how many bytes.
    private bool TryGetAccess(out uint register, out int length)
    {
        register = Get32(_accessCapability + 8);
        uint wanted = Get32(_accessCapability + 12);
        length = (int)(wanted & 7);
        return wanted is 1 or 2 or 4 && Get8(_accessCapability + 4) == RegisterWindow
            && register % wanted == 0 && register < VirtioPciRegisters.WindowSize;
    }

    private void UpdateMsix()
    {
        ushort control = Get16(_msixCapability + 2);
        _msix!.SetControl((control & 0x8000) != 0, (control & 0x4000) != 0);
        _registers.UpdateInterrupt();
    }
}
