namespace HostedMachine;

/// <summary>A guest that says hello, listens to the power button, and switches itself off when it is pressed.</summary>
internal static class ObedientGuest
{
    /// <summary>Real-mode code.</summary>
    public static byte[] Code =>
    [
        0xBA, 0xF8, 0x03,                                                                    // mov dx, 0x3F8
        .. "Hello from a hosted machine\n"u8.ToArray().SelectMany(c => (byte[])[0xB0, c, 0xEE]), // mov al, character; out dx, al
        0xBA, 0x02, 0x06, 0xB8, 0x00, 0x01, 0xEF,                                            // mov dx, 0x602; mov ax, 0x100; out dx, ax: listen
        0xBA, 0x00, 0x06, 0xED, 0xF6, 0xC4, 0x01, 0x74, 0xFA,                                // mov dx, 0x600; wait: in ax, dx; test ah, 1; jz wait
        0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xF4,                                      // mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt
    ];
}
