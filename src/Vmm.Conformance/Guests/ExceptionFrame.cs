namespace Vmm.Conformance;

/// <summary>What a handler stub found on its stack.</summary>
/// <param name="Vector">Vector taken.</param>
/// <param name="ErrorCode">Error code, 0 where the vector has none.</param>
/// <param name="Rip">Return address (offset).</param>
/// <param name="Cs">Return code selector.</param>
/// <param name="Rflags">Flags saved.</param>
/// <param name="Rsp">Stack pointer saved; 0 where the mode saves none.</param>
/// <param name="Ss">Stack selector saved; 0 where the mode saves none.</param>
/// <param name="FrameAddress">Linear address of the lowest byte pushed.</param>
public sealed record ExceptionFrame(byte Vector, uint ErrorCode, ulong Rip, ushort Cs, ulong Rflags, ulong Rsp, ushort Ss,
    ulong FrameAddress);
