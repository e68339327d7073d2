namespace Vmm.Devices;

/// <summary>One character of a text screen.</summary>
/// <param name="Code">The character's code in the font, usually code page 437.</param>
/// <param name="Attribute">Colours: foreground in bits 0-3, background in bits 4-6, bit 7 blinks or makes the background bright.</param>
public readonly record struct VgaTextCell(byte Code, byte Attribute)
{
    /// <summary>The character, taking the code as one of code page 437; a zero is a space.</summary>
    public char Character => CodePage437.ToCharacter(Code);

    /// <summary>Palette index of the foreground, 0-15: 1 = blue, 2 = green, 4 = red, 8 = bright.</summary>
    public int Foreground => Attribute & 0x0F;

    /// <summary>Palette index of the background, 0-7.</summary>
    public int Background => (Attribute >> 4) & 0x07;
}
