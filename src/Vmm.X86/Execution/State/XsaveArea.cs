using System.Buffers.Binary;

namespace Vmm.X86.Execution;

/// <summary>The XSAVE standard format (SDM Vol. 1 13.4) of the x87, SSE, AVX and PKRU state in the state block.</summary>
// SAFETY: the state block is alive for the call; offsets into its arrays are bounded by the loops.
public static unsafe class XsaveArea
{
    /// <summary>Bytes of an area with legacy region and header only, and with the upper halves of the YMM registers.</summary>
    public const int Size = 576, SizeWithAvx = 832;

    private const int Header = 512;
    private const int KeysSize = 8;
    private const ulong X87 = 1, Sse = 2, Avx = 4, Keys = 1UL << XsaveStates.KeyRights;
    private const uint MxcsrMask = 0xFFFF;

    /// <summary>Bytes of the area of a processor model, for all that its XCR0 may hold.</summary>
    public static int SizeFor(CpuidModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        int size = (model.SupportedXcr0 & Avx) != 0 ? SizeWithAvx : Size;
        int keys = model.XsaveOffset(XsaveStates.KeyRights);
        return keys == 0 ? size : Math.Max(size, keys + KeysSize);
    }

    /// <summary>
    /// Fills an area. AVX state is saved where the area has room for it; its bit is set unless it is in its initial state.
    /// </summary>
    /// <param name="s">The state block.</param>
    /// <param name="area">The area.</param>
    /// <param name="keysOffset">Where PKRU lies (<see cref="CpuidModel.XsaveOffset"/> of component 9); 0 where there is none.</param>
    public static void Save(VcpuState* s, Span<byte> area, int keysOffset = 0)
    {
        area.Clear();
        Write16(area, 0, s->FpuControl);
        Write16(area, 2, s->FpuStatus);
        area[4] = (byte)s->FpuTags;
        Write16(area, 6, s->FpuOpcode);
        Write64(area, 8, s->FpuInstructionPointer);
        Write64(area, 16, s->FpuDataPointer);
        Write32(area, 24, s->Mxcsr);
        Write32(area, 28, MxcsrMask);
        int top = (s->FpuStatus >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (top + i) & 7;
            Write64(area, 32 + (16 * i), s->Fpu[2 * physical]);
            Write16(area, 40 + (16 * i), (ushort)s->Fpu[(2 * physical) + 1]);
        }
        for (int i = 0; i < 16; i++)
        {
            Write64(area, 160 + (16 * i), s->Vector[4 * i]);
            Write64(area, 168 + (16 * i), s->Vector[(4 * i) + 1]);
        }
        ulong upper = 0;
        for (int i = 0; i < 16 && area.Length >= SizeWithAvx; i++)
        {
            ulong low = s->Vector[(4 * i) + 2], high = s->Vector[(4 * i) + 3];
            Write64(area, Size + (16 * i), low);
            Write64(area, Size + 8 + (16 * i), high);
            upper |= low | high;
        }
        if (keysOffset != 0)
            Write32(area, keysOffset, s->Pkru);
        Write64(area, Header, X87 | Sse | (upper != 0 ? Avx : 0) | (keysOffset != 0 && s->Pkru != 0 ? Keys : 0));
    }

    /// <summary>Loads an area; components whose bit is clear go to their initial state.</summary>
    /// <inheritdoc cref="Save"/>
    /// <exception cref="ArgumentException">Reserved bits of the header or of MXCSR are set.</exception>
    public static void Load(VcpuState* s, ReadOnlySpan<byte> area, int keysOffset = 0)
    {
        Check(area, keysOffset);
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[Header..]);
        bool avx = (present & Avx) != 0;
        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(area[24..]);
        LoadX87(s, area, (present & X87) != 0);
        s->Pkru = (present & Keys) != 0 ? BinaryPrimitives.ReadUInt32LittleEndian(area[keysOffset..]) : 0;
        bool sse = (present & Sse) != 0;
        s->Mxcsr = sse || avx ? mxcsr : 0x1F80;
        for (int i = 0; i < 16; i++)
        {
            s->Vector[4 * i] = sse ? BinaryPrimitives.ReadUInt64LittleEndian(area[(160 + (16 * i))..]) : 0;
            s->Vector[(4 * i) + 1] = sse ? BinaryPrimitives.ReadUInt64LittleEndian(area[(168 + (16 * i))..]) : 0;
            s->Vector[(4 * i) + 2] = avx ? BinaryPrimitives.ReadUInt64LittleEndian(area[(Size + (16 * i))..]) : 0;
            s->Vector[(4 * i) + 3] = avx ? BinaryPrimitives.ReadUInt64LittleEndian(area[(Size + 8 + (16 * i))..]) : 0;
        }
    }

    /// <summary>Refuses an area that no XRSTOR would load.</summary>
    /// <inheritdoc cref="Save"/>
    /// <exception cref="ArgumentException">Reserved bits of the header or of MXCSR are set.</exception>
    public static void Check(ReadOnlySpan<byte> area, int keysOffset = 0)
    {
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[Header..]);
        bool avx = (present & Avx) != 0 && area.Length >= SizeWithAvx;
        if ((present & ~(X87 | Sse | (avx ? Avx : 0) | (keysOffset != 0 ? Keys : 0))) != 0)
            throw new ArgumentException($"XSTATE_BV 0x{present:X} names components that the processor does not have.", nameof(area));
        foreach (byte reserved in area[(Header + 8)..Size])
        {
            if (reserved != 0)
                throw new ArgumentException("A reserved byte of the XSAVE header is set, or the area is in compacted format.", nameof(area));
        }
        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(area[24..]);
        if ((present & (Sse | Avx)) != 0 && (mxcsr & ~MxcsrMask) != 0)
            throw new ArgumentException($"MXCSR 0x{mxcsr:X} has reserved bits set.", nameof(area));
    }

    /// <summary>Spells the initial state of what is not present out in the legacy region, whose bits in the header are set then.</summary>
    /// <param name="area">An area in which a component whose bit is clear may have any bytes.</param>
    /// <param name="present">XSTATE_BV.</param>
    public static void Complete(Span<byte> area, ulong present)
    {
        if ((present & X87) == 0)
        {
            area[..24].Clear();
            area[32..160].Clear();
            Write16(area, 0, 0x37F);
        }
        if ((present & (Sse | Avx)) == 0)
            Write32(area, 24, 0x1F80);
        if ((present & Sse) == 0)
            area[160..416].Clear();
        Write32(area, 28, MxcsrMask);
        area[416..Header].Clear();
        Write64(area, Header, present | X87 | Sse);
    }

    private static void LoadX87(VcpuState* s, ReadOnlySpan<byte> area, bool present)
    {
        if (!present)
        {
            s->FpuControl = 0x37F;
            s->FpuStatus = s->FpuTags = s->FpuOpcode = 0;
            s->FpuInstructionPointer = s->FpuDataPointer = 0;
            for (int i = 0; i < 16; i++)
                s->Fpu[i] = 0;
            return;
        }
        s->FpuControl = BinaryPrimitives.ReadUInt16LittleEndian(area);
        s->FpuStatus = BinaryPrimitives.ReadUInt16LittleEndian(area[2..]);
        s->FpuTags = area[4];
        s->FpuOpcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(area[6..]) & 0x7FF);
        s->FpuInstructionPointer = BinaryPrimitives.ReadUInt64LittleEndian(area[8..]);
        s->FpuDataPointer = BinaryPrimitives.ReadUInt64LittleEndian(area[16..]);
        int top = (s->FpuStatus >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (top + i) & 7;
            s->Fpu[2 * physical] = BinaryPrimitives.ReadUInt64LittleEndian(area[(32 + (16 * i))..]);
            s->Fpu[(2 * physical) + 1] = BinaryPrimitives.ReadUInt16LittleEndian(area[(40 + (16 * i))..]);
        }
    }

    private static void Write16(Span<byte> area, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(area[offset..], value);

    private static void Write32(Span<byte> area, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(area[offset..], value);

    private static void Write64(Span<byte> area, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(area[offset..], value);
}
