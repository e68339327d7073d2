namespace Vmm.Devices;

/// <summary>
/// The Intel 440FX host bridge, 8086:1237: the registers that say whether reads and writes of the legacy area from 768 KiB to 1 MiB go to
/// RAM (PAM), and those of system-management RAM, which are state only. Who owns the machine's memory listens to
/// <see cref="ShadowChanged"/>.
/// </summary>
public sealed class HostBridge440Fx : PciFunction
{
    /// <summary>Number of segments with attributes of their own.</summary>
    public const int SegmentCount = 13;

    private const int Pam = 0x59;
    private const int Smram = 0x72;

    /// <summary>Makes the bridge as after power-on: the legacy area is ROM.</summary>
    public HostBridge440Fx()
        : base(new PciIdentity(0x8086, 0x1237, 0x06_0000) { Revision = 2, SubsystemVendorId = 0x1AF4, SubsystemId = 0x1100 })
    {
        // As strapped on a board of one memory type (data sheet 3.2): memory space cannot be turned off, bus master is on.
        Put16(0x04, 0x0006);
        SetWritable(0x04, 2, 0x0100);
        Put16(0x06, 0x0280);
        SetWritable(0x50, 2, 0xFFFF);
        for (int register = 0x57; register <= 0x59; register++)
            SetWritable(register, 1, register == Pam ? 0x30u : 0xFFu);
        for (int register = Pam + 1; register < Pam + 7; register++)
            SetWritable(register, 1, 0x33);
        for (int register = 0x60; register <= 0x67; register++)
            SetWritable(register, 1, 0xFF);
        Put8(Smram, 0x02);
        SetWritable(Smram, 1, 0x78);
    }

    /// <summary>
    /// Raised when any segment's attributes may have changed, on the thread of the processor that wrote them (or reset the bus), under the
    /// bus's configuration lock.
    /// </summary>
    public event Action? ShadowChanged;

    /// <summary>The system-management RAM control register: state only.</summary>
    public byte SystemManagementRam => Get8(Smram);

    /// <summary>Where a segment lies: 0xF0000 (64 KiB) is segment 0, then 16 KiB each from 0xC0000 up to 0xF0000.</summary>
    /// <param name="segment">0 to <see cref="SegmentCount"/> - 1.</param>
    public static (ulong Address, ulong Length) RangeOf(int segment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segment, SegmentCount);
        return segment == 0 ? (0xF_0000ul, 0x1_0000ul) : (0xC_0000 + (ulong)(segment - 1) * 0x4000, 0x4000ul);
    }

    /// <summary>
    /// What goes to RAM in a segment: <see cref="GuestAccess.Read"/> set = reads and fetches, else they go to the ROM;
    /// <see cref="GuestAccess.Write"/> set = writes, else they are lost.
    /// </summary>
    /// <param name="segment">0 to <see cref="SegmentCount"/> - 1.</param>
    public GuestAccess ShadowOf(int segment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segment, SegmentCount);
        // PAM0 bits 5:4 are segment 0; PAM1 to PAM6 hold two segments each, the lower one in bits 1:0 (data sheet 3.2.18).
        int bits = segment == 0 ? Get8(Pam) >> 4 : Get8(Pam + (segment + 1) / 2) >> ((segment & 1) == 0 ? 4 : 0);
        return ((bits & 1) != 0 ? GuestAccess.Read : GuestAccess.None) | ((bits & 2) != 0 ? GuestAccess.Write : GuestAccess.None);
    }

    /// <summary>Tells the memory of the legacy area all attributes.</summary>
    public void CopyTo(ShadowMemory shadow)
    {
        ArgumentNullException.ThrowIfNull(shadow);
        for (int segment = 0; segment < SegmentCount; segment++)
            shadow.Set(segment, ShadowOf(segment));
    }

    /// <summary>Makes the whole legacy area readable and writable RAM, as firmware leaves it for a system that needs no ROM.</summary>
    public void EnableShadow()
    {
        Put8(Pam, 0x30);
        for (int register = Pam + 1; register < Pam + 7; register++)
            Put8(register, 0x33);
        ShadowChanged?.Invoke();
    }

    /// <inheritdoc/>
    protected override void OnConfigurationWritten(int offset, int size, uint value)
    {
        if (Touches(offset, size, Pam, 7))
            ShadowChanged?.Invoke();
    }

    /// <inheritdoc/>
    protected override void OnReset() => ShadowChanged?.Invoke();

    /// <inheritdoc/>
    protected override void OnExchangeState(DeviceStateExchange state)
    {
        if (state.IsLoading)
            ShadowChanged?.Invoke();
    }
}
