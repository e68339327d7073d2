using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Vmm.X86.Tests.NativeOracle;

/// <summary>
/// The machine state that a native instruction is given and leaves behind: sixteen general registers (RSP is stored but never loaded),
/// RFLAGS,
/// x87/MMX/SSE as an FXSAVE64 image, the x87 environment as FNSTENV writes it, and scratch memory at a known address.
/// </summary>
internal sealed unsafe class NativeState : IDisposable
{
    public const int FlagsOffset = 128;
    public const int EnvironmentOffset = 192;
    public const int FxsaveOffset = 256;
    public const int HostFxsaveOffset = 1024;
    public const int VectorOffset = 1536;
    public const int ScratchOffset = 2048;
    public const int ScratchLength = 2048;
    private const int Length = ScratchOffset + ScratchLength;

    private byte* _block;

    public NativeState()
    {
        // SAFETY: owned here, freed once in Dispose; every span below lies inside Length.
        _block = (byte*)NativeMemory.AlignedAlloc(Length, 64);
        Clear();
    }

    ~NativeState() => Release();

    public nint Address => (nint)_block;

    public nint ScratchAddress => (nint)_block + ScratchOffset;

    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.</summary>
    public Span<ulong> General => new(_block, 16);

    public ref ulong Flags => ref *(ulong*)(_block + FlagsOffset);

    /// <summary>The 28 bytes that FNSTENV wrote after the instruction (32-bit protected-mode format).</summary>
    public Span<byte> Environment => new(_block + EnvironmentOffset, 28);

    /// <summary>The 512-byte FXSAVE64 image, input and output.</summary>
    public Span<byte> Fxsave => new(_block + FxsaveOffset, 512);

    /// <summary>The sixteen whole YMM registers, 32 bytes each, for instructions wrapped with them.</summary>
    public Span<byte> Vectors => new(_block + VectorOffset, 512);

    /// <summary>Everything: to keep a copy of an input and put it back.</summary>
    public Span<byte> Whole => new(_block, Length);

    public Span<byte> Scratch => new(_block + ScratchOffset, ScratchLength);

    public ref ushort ControlWord => ref *(ushort*)(_block + FxsaveOffset);

    public ref ushort StatusWord => ref *(ushort*)(_block + FxsaveOffset + 2);

    /// <summary>One bit per physical register, set where it is not empty.</summary>
    public ref byte AbridgedTags => ref _block[FxsaveOffset + 4];

    /// <summary>The sixteen bytes of ST(i) in the image.</summary>
    public Span<byte> Stack(int i) => new(_block + FxsaveOffset + 32 + (16 * i), 16);

    public ulong StackSignificand(int i) => BinaryPrimitives.ReadUInt64LittleEndian(Stack(i));

    public ushort StackSignExponent(int i) => BinaryPrimitives.ReadUInt16LittleEndian(Stack(i)[8..]);

    /// <summary>Zeroes, RFLAGS 2, FNINIT state with an empty stack, MXCSR 1F80h.</summary>
    public void Clear()
    {
        new Span<byte>(_block, Length).Clear();
        Flags = 2;
        ControlWord = 0x37F;
        BinaryPrimitives.WriteUInt32LittleEndian(Fxsave[24..], 0x1F80);
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
    }
}
