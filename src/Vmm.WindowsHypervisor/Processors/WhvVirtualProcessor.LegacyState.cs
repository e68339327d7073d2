using System.Buffers.Binary;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

/// <summary>x87 and SSE state by single registers: platforms from before they told the whole area.</summary>
internal sealed unsafe partial class WhvVirtualProcessor
{
    private static readonly WhvRegisterName[] s_legacy =
    [
        .. Enumerable.Range(0, 16).Select(i => WhvRegisterName.Xmm0 + (uint)i), .. Enumerable.Range(0, 8).Select(i => WhvRegisterName.FpMmx0 + (uint)i),
        WhvRegisterName.FpControlStatus, WhvRegisterName.XmmControlStatus,
    ];

    private void ReadLegacy(Span<byte> area)
    {
        area.Clear();
        WhvRegisterValue* v = Read(s_legacy);
        for (int i = 0; i < 16; i++)
            Quad(v[i], area[(160 + (16 * i))..]);
        for (int i = 0; i < 8; i++)
            Quad(v[16 + i], area[(32 + (16 * i))..]);
        WhvX64FpControlStatusRegister x87 = v[24].FpControlStatus;
        BinaryPrimitives.WriteUInt16LittleEndian(area, x87.FpControl);
        BinaryPrimitives.WriteUInt16LittleEndian(area[2..], x87.FpStatus);
        area[4] = x87.FpTag;
        BinaryPrimitives.WriteUInt16LittleEndian(area[6..], x87.LastFpOp);
        BinaryPrimitives.WriteUInt64LittleEndian(area[8..], x87.LastFpRip);
        BinaryPrimitives.WriteUInt64LittleEndian(area[16..], v[25].XmmControlStatus.LastFpRdp);
        BinaryPrimitives.WriteUInt32LittleEndian(area[24..], v[25].XmmControlStatus.XmmStatusControl);
        BinaryPrimitives.WriteUInt32LittleEndian(area[28..], 0xFFFF);
        area[Header] = 3;
    }

    private void WriteLegacy(ReadOnlySpan<byte> area)
    {
        byte[] whole = area.ToArray();
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[Header..]);
        XsaveArea.Complete(whole, present);
        WhvRegisterValue* v = _scratch.Values;
        for (int i = 0; i < 16; i++)
            v[i] = Quad(whole.AsSpan(160 + (16 * i)));
        for (int i = 0; i < 8; i++)
            v[16 + i] = Quad(whole.AsSpan(32 + (16 * i)));
        v[24] = default;
        v[24].FpControlStatus = new WhvX64FpControlStatusRegister
        {
            FpControl = BinaryPrimitives.ReadUInt16LittleEndian(whole), FpStatus = BinaryPrimitives.ReadUInt16LittleEndian(whole.AsSpan(2)),
            FpTag = whole[4], LastFpOp = BinaryPrimitives.ReadUInt16LittleEndian(whole.AsSpan(6)),
            LastFpRip = BinaryPrimitives.ReadUInt64LittleEndian(whole.AsSpan(8)),
        };
        v[25] = default;
        v[25].XmmControlStatus = new WhvX64XmmControlStatusRegister
        {
            LastFpRdp = BinaryPrimitives.ReadUInt64LittleEndian(whole.AsSpan(16)),
            XmmStatusControl = BinaryPrimitives.ReadUInt32LittleEndian(whole.AsSpan(24)), XmmStatusControlMask = 0xFFFF,
        };
        WriteValues(s_legacy);
    }

    private static void Quad(in WhvRegisterValue value, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value.Reg128.Low64);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], value.Reg128.High64);
    }

    private static WhvRegisterValue Quad(ReadOnlySpan<byte> bytes)
    {
        WhvRegisterValue value = default;
        value.Reg128.Low64 = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        value.Reg128.High64 = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        return value;
    }
}
