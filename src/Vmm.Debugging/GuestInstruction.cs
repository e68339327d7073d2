namespace Vmm.Debugging;

/// <summary>One instruction of guest code.</summary>
/// <param name="Address">Its linear address.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Text">In Intel syntax.</param>
public sealed record GuestInstruction(ulong Address, ReadOnlyMemory<byte> Bytes, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Address:X16}  {Convert.ToHexString(Bytes.Span),-22} {Text}";
}
