namespace Vmm.Debugging.Registers;

/// <summary>Copies a register out of a view; the bytes are little-endian.</summary>
internal delegate void RegisterReader(RegisterView view, Span<byte> value);

/// <summary>Puts a register in a view.</summary>
internal delegate void RegisterWriter(RegisterView view, ReadOnlySpan<byte> value);

/// <summary>One register of the debugger's description.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Bits">Its size.</param>
/// <param name="Type">Its type there.</param>
/// <param name="Group">Its group there; empty for none.</param>
/// <param name="Read">Reads it.</param>
/// <param name="Write">Writes it.</param>
internal sealed record RegisterEntry(string Name, int Bits, string Type, string Group, RegisterReader Read, RegisterWriter Write)
{
    public int Bytes => Bits / 8;
}
