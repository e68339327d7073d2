using System.Buffers.Binary;

namespace Vmm;

/// <summary>x87, SSE and further vector state (SDM Vol. 1 13.4). Components in their initial state compare equal however the area says so.</summary>
internal sealed class XsaveElement() : StateElement("xsave", 1, "x87, SSE and further vector state.")
{
    private const int HeaderOffset = 512;
    private const int ExtendedOffset = 576;
    private const int PieceSize = 16;

    internal override ElementState Capture(IVirtualProcessor processor, in ProcessorState state)
    {
        byte[] area = new byte[processor.XsaveSize];
        processor.GetXsave(area);
        return Save(area);
    }

    internal override ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state)
    {
        byte[] area = new byte[processor.XsaveSize];
        PowerOnState.FillXsave(area);
        return Save(area);
    }

    internal override Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state)
    {
        byte[] area = new byte[processor.XsaveSize];
        FieldExchange fields = FieldExchange.Loading(values);
        ulong extended = 0;
        fields.Field("ExtendedComponents", ref extended);
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

    private ElementState Save(byte[] area)
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
        ulong extended = components & ~3UL;
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
