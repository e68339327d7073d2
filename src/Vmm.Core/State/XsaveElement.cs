using System.Buffers.Binary;
using System.Numerics;

namespace Vmm;

/// <summary>
/// x87, SSE and further vector state (SDM Vol. 1 13.4). Components in their initial state compare equal however the area says so.
/// </summary>
internal sealed class XsaveElement() : StateElement("xsave", 1, "x87, SSE and further vector state.")
{
    private const int HeaderOffset = 512;
    private const int ExtendedOffset = 576;
    private const int PieceSize = 16;
    private const uint StateLeaf = 0xD;

    internal override ElementState Capture(IVirtualProcessor processor, in ProcessorState state)
    {
        byte[] area = new byte[processor.XsaveSize];
        processor.GetXsave(area);
        return Save(area, processor.Partition.CpuProfile);
    }

    internal override ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state)
    {
        byte[] area = new byte[processor.XsaveSize];
        PowerOnState.FillXsave(area);
        return Save(area, processor.Partition.CpuProfile);
    }

    internal override Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state)
    {
        byte[] area = new byte[processor.XsaveSize];
        FieldExchange fields = FieldExchange.Loading(values);
        ulong extended = 0;
        fields.Field("ExtendedComponents", ref extended);
        if (processor.Partition.CpuProfile is { } profile && (extended & ~profile.Xcr0Mask) != 0)
        {
            throw new ArgumentException(
                $"State element '{Id}' holds the XSAVE components 0x{extended:X}; XCR0 may hold 0x{profile.Xcr0Mask:X} here. Restore where the CPU profile has them.");
        }
        ExchangeLegacy(fields, area);
        for (int offset = ExtendedOffset; offset < area.Length; offset += PieceSize)
        {
            if (fields.Has(PieceName(offset)))
                fields.Field(PieceName(offset), area.AsSpan(offset, Math.Min(PieceSize, area.Length - offset)));
        }
        fields.CheckAllTaken();
        BinaryPrimitives.WriteUInt64LittleEndian(area.AsSpan(HeaderOffset), extended | 3);
        return target => target.SetXsave(area);
    }

    private ElementState Save(byte[] area, CpuProfile? profile)
    {
        ulong components = BinaryPrimitives.ReadUInt64LittleEndian(area.AsSpan(HeaderOffset));
        // A component whose bit is clear is in its initial state, whatever its bytes say; MXCSR is always valid.
        if ((components & 1) == 0)
        {
            area.AsSpan(0, 24).Clear();
            area.AsSpan(32, 128).Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(area, 0x37F);
        }
        if ((components & 2) == 0)
            area.AsSpan(160, 256).Clear();
        FieldExchange fields = FieldExchange.Saving(Id);
        ulong extended = KeepExtended(components & ~3UL, area, profile);
        fields.Field("ExtendedComponents", ref extended);
        ExchangeLegacy(fields, area);
        for (int offset = ExtendedOffset; extended != 0 && offset < area.Length; offset += PieceSize)
        {
            Span<byte> piece = area.AsSpan(offset, Math.Min(PieceSize, area.Length - offset));
            if (piece.IndexOfAnyExcept((byte)0) >= 0)
                fields.Field(PieceName(offset), piece);
        }
        return new(Id, Version, fields.Saved);
    }

    // Platforms say of components that they are in use though all of them is zero, which is the initial state of each; and they hand over
    // components that the guest cannot have. Neither is state.
    private static ulong KeepExtended(ulong components, byte[] area, CpuProfile? profile)
    {
        if (profile is null)
            return components;
        byte[] kept = new byte[area.Length - ExtendedOffset];
        ulong result = 0;
        for (ulong rest = components & profile.Xcr0Mask; rest != 0; rest &= rest - 1)
        {
            int component = BitOperations.TrailingZeroCount(rest);
            CpuidResult place = profile.Find(StateLeaf, (uint)component)?.Value ?? default;
            if (place.Ebx < ExtendedOffset || place.Eax > area.Length || place.Ebx > area.Length - (int)place.Eax)
                continue;
            Span<byte> content = area.AsSpan((int)place.Ebx, (int)place.Eax);
            if (content.IndexOfAnyExcept((byte)0) < 0)
                continue;
            content.CopyTo(kept.AsSpan((int)place.Ebx - ExtendedOffset));
            result |= rest & (~rest + 1);
        }
        kept.CopyTo(area.AsSpan(ExtendedOffset));
        return result;
    }

    private static string PieceName(int offset) => $"Area+0x{offset:X}";

    private static void ExchangeLegacy(FieldExchange fields, Span<byte> area)
    {
        fields.Field("Fcw", area[..2]);
        fields.Field("Fsw", area.Slice(2, 2));
        fields.Field("Ftw", area.Slice(4, 1));
        fields.Field("Fop", area.Slice(6, 2));
        fields.Field("Fip", area.Slice(8, 8));
        fields.Field("Fdp", area.Slice(16, 8));
        fields.Field("Mxcsr", area.Slice(24, 4));
        for (int i = 0; i < 8; i++)
            fields.Field($"St{i}", area.Slice(32 + (16 * i), 10));
        for (int i = 0; i < 16; i++)
            fields.Field($"Xmm{i}", area.Slice(160 + (16 * i), 16));
    }
}
