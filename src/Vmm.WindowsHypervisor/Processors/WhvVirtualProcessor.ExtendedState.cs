using System.Buffers.Binary;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    // The platform's areas are compacted (SDM Vol. 1 13.4.3): AVX comes right after the header, as in the standard format where it is the
    // first.
    private const int MostPlatformBytes = 1 << 16, PlatformBytes = 4096, ApicBytes = 4096, Header = 512;
    private const ulong Known = 7, Compacted = 1UL << 63;

    private readonly int _xsaveSize;
    private ulong _miscEnable = 1;
    private byte[]? _area;

    public override int XsaveSize => _xsaveSize;

    protected override void GetXsaveCore(Span<byte> area)
    {
        if (!HasXcr0)
        {
            ReadLegacy(area);
            return;
        }
        Span<byte> platform = ReadArea(out int length);
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(platform[Header..]) & Known;
        area.Clear();
        platform[..Header].CopyTo(area);
        if (area.Length >= XsaveArea.SizeWithAvx && length >= XsaveArea.SizeWithAvx && (present & 4) != 0)
            platform[XsaveArea.Size..XsaveArea.SizeWithAvx].CopyTo(area[XsaveArea.Size..]);
        else
            present &= 3;
        XsaveArea.Complete(area, present);
    }

    protected override void SetXsaveCore(ReadOnlySpan<byte> area)
    {
        XsaveArea.Check(area);
        if (!HasXcr0)
        {
            WriteLegacy(area);
            return;
        }
        Span<byte> platform = ReadArea(out int length);
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[Header..]) & Known;
        ulong others = BinaryPrimitives.ReadUInt64LittleEndian(platform[Header..]) & ~Known;
        area[..Header].CopyTo(platform);
        BinaryPrimitives.WriteUInt64LittleEndian(platform[Header..], others | present);
        ulong layout = BinaryPrimitives.ReadUInt64LittleEndian(platform[(Header + 8)..]);
        if ((layout & Compacted) != 0)
            BinaryPrimitives.WriteUInt64LittleEndian(platform[(Header + 8)..], layout | present);
        if ((present & 4) != 0)
            area[XsaveArea.Size..XsaveArea.SizeWithAvx].CopyTo(platform[XsaveArea.Size..]);
        // SAFETY: the platform reads the length that it told for this processor.
        fixed (byte* bytes = platform)
        {
            WhvPlatform.Check(
                _platform.Api.SetVirtualProcessorState is not null
                    ? _platform.Api.SetVirtualProcessorState(Handle, Number, WhvVirtualProcessorStateType.XsaveState, bytes, (uint)length)
                    : _platform.Api.SetVirtualProcessorXsaveState(Handle, Number, bytes, (uint)length),
                "WHvSetVirtualProcessorState", "extended state");
        }
    }

    protected override void GetLocalApicCore(Span<byte> page)
    {
        uint written = 0;
        // SAFETY: the page has 4096 bytes, which the base checked.
        fixed (byte* bytes = page)
        {
            WhvPlatform.Check(
                _platform.Api.GetVirtualProcessorState is not null
                    ? _platform.Api.GetVirtualProcessorState(Handle, Number, WhvVirtualProcessorStateType.InterruptControllerState2, bytes, ApicBytes, &written)
                    : _platform.Api.GetVirtualProcessorInterruptControllerState2(Handle, Number, bytes, ApicBytes, &written),
                "WHvGetVirtualProcessorState", "local APIC");
        }
    }

    protected override void SetLocalApicCore(ReadOnlySpan<byte> page)
    {
        // SAFETY: as above; the platform reads the page.
        fixed (byte* bytes = page)
        {
            WhvPlatform.Check(
                _platform.Api.SetVirtualProcessorState is not null
                    ? _platform.Api.SetVirtualProcessorState(Handle, Number, WhvVirtualProcessorStateType.InterruptControllerState2, bytes, ApicBytes)
                    : _platform.Api.SetVirtualProcessorInterruptControllerState2(Handle, Number, bytes, ApicBytes),
                "WHvSetVirtualProcessorState", "local APIC");
        }
    }

    private Span<byte> ReadArea(out int length)
    {
        _area ??= new byte[PlatformBytes];
        int result = ReadArea(_area, out uint written);
        // With AVX-512 or AMX the host's area is larger than any that a profile has.
        if (result == WhvHResult.InsufficientBuffer && written is > PlatformBytes and <= MostPlatformBytes)
        {
            _area = new byte[written];
            result = ReadArea(_area, out written);
        }
        WhvPlatform.Check(result, "WHvGetVirtualProcessorState", "extended state");
        length = (int)Math.Min(written, (uint)_area.Length);
        return _area;
    }

    private int ReadArea(byte[] area, out uint written)
    {
        // SAFETY: the platform writes at most the length given.
        fixed (byte* bytes = area)
        fixed (uint* length = &written)
        {
            *length = 0;
            uint size = (uint)area.Length;
            return _platform.Api.GetVirtualProcessorState is not null
                ? _platform.Api.GetVirtualProcessorState(Handle, Number, WhvVirtualProcessorStateType.XsaveState, bytes, size, length)
                : _platform.Api.GetVirtualProcessorXsaveState(Handle, Number, bytes, size, length);
        }
    }
}
