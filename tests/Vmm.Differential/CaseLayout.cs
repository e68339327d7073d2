namespace Vmm.Differential;

/// <summary>
/// Addresses and offsets that the native program, the emulated processor and the comparison agree on. A batch is an array of records in a
/// shared file; each record holds what goes in and what came out.
/// </summary>
internal static class CaseLayout
{
    // Linear addresses of the memory a case sees; everything else below 4 GiB is unmapped.
    public const ulong CodeAddress = 0x1040_0000, DataAddress = 0x1080_0000, ReadOnlyAddress = 0x1080_3000;
    /// <summary>Linux's selectors of user code, 64 and 32 bits wide, and of user data.</summary>
    public const int CodeSelector64 = 0x33, CodeSelector32 = 0x23, DataSelector = 0x2B;

    public const int CodeLength = 2 * 4096, DataLength = 2 * 4096, ReadOnlyLength = 4096;

    /// <summary>What the code pages hold around the instruction: HLT, which user code may not execute, so that it ends the case.</summary>
    public const byte Filler = 0xF4;

    // Linear addresses of the native program itself: where no register value of a case leads.
    public const ulong ImageAddress = 0x3F5A_6B70_0000, BatchAddress = 0x3F5B_1C40_0000, WritableCodeAddress = 0x3F5C_2D90_0000;

    // The file: a control page, the content of the read-only page, then two batches.
    public const int ControlIndexOffset = 0, ControlCountOffset = 64, ReadOnlyOffset = 4096, BatchesOffset = 8192;
    public const int BatchCases = 256, RecordLength = 20480, BatchLength = BatchCases * RecordLength;
    public const int FileLength = BatchesOffset + (2 * BatchLength);

    // A record's input.
    public const int GeneralOffset = 0, FlagsOffset = 128, RipOffset = 136, CodePositionOffset = 144, CodeCountOffset = 148,
        CodeBytesOffset = 152, MostCodeBytes = 32, ScratchOffset = 192, BitsOffset = 200, VectorsOffset = 256, DataOffset = 2048;

    // A record's output: the kernel's general registers of the signal, the signal, the XSAVE area, the data pages.
    public const int AnswerOffset = 10240, AnswerSignalOffset = AnswerOffset + 184, AnswerVectorsOffset = AnswerOffset + 256,
        AnswerDataOffset = AnswerOffset + 2048;

    /// <summary>Bytes of the XSAVE area in standard format with x87, SSE and AVX state (SDM Vol. 1 13.4).</summary>
    public const int XsaveLength = 832;

    public const int XmmOffset = 160, StackOffset = 32, MxcsrOffset = 24, XstateOffset = 512, UpperOffset = 576;

    /// <summary>Positions in the kernel's array of general registers: R8 to R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP, RIP, ...</summary>
    public const int AnswerRip = 16, AnswerFlags = 17, AnswerErrorCode = 19, AnswerVector = 20, AnswerCr2 = 22, AnswerCount = 23;

    /// <summary>Where the encoding's registers RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15 are in that array.</summary>
    public static ReadOnlySpan<byte> AnswerGeneral => [13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7];
}
