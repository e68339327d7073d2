namespace Vmm.Hosting.Tests;

/// <summary>Flat guests of a few instructions, loaded at 0x1000, and files that hold them.</summary>
internal static class TestGuest
{
    // mov dx, 0x3F8; then for each character: mov al, character; out dx, al
    internal static byte[] Print(string text) => [0xBA, 0xF8, 0x03, .. text.SelectMany(character => (byte[])[0xB0, (byte)character, 0xEE])];

    // mov dx, 0x602; mov ax, 0x100; out dx, ax: the power button's event is enabled
    internal static byte[] Listen => [0xBA, 0x02, 0x06, 0xB8, 0x00, 0x01, 0xEF];

    // mov dx, 0x600; wait: in ax, dx; test ah, 1; jz wait
    internal static byte[] AwaitButton => [0xBA, 0x00, 0x06, 0xED, 0xF6, 0xC4, 0x01, 0x74, 0xFA];

    // mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt
    internal static byte[] PowerOff => [0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xF4];

    // mov dx, 0xCF9; mov al, 6; out dx, al; hlt
    internal static byte[] Reset => [0xBA, 0xF9, 0x0C, 0xB0, 0x06, 0xEE, 0xF4];

    // lidt [zero limit]; int3
    internal static byte[] TripleFault => [0x0F, 0x01, 0x1E, 0x00, 0x80, 0xCC];

    // jmp $
    internal static byte[] Spin => [0xEB, 0xFE];
}
