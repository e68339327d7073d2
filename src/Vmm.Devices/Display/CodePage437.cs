namespace Vmm.Devices;

/// <summary>The characters of the original PC font.</summary>
internal static class CodePage437
{
    // The codes below 0x20, which terminals take as controls, are pictures in the font.
    private const string Low = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";

    private const string High =
        "⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
        + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0";

    public static char ToCharacter(byte code) => code switch
    {
        < 0x20 => Low[code],
        < 0x7F => (char)code,
        _ => High[code - 0x7F],
    };
}
