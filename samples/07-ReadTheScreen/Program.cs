// A machine that starts in firmware, and its screen as text. Without arguments the firmware is a few instructions from here; with them it
// is a file, such as SeaBIOS with its VGA BIOS: ReadTheScreen /usr/share/seabios/bios-256k.bin /usr/share/seabios/vgabios-isavga.bin
using Vmm;
using Vmm.Devices;
using Vmm.Machines;

FirmwareImage firmware = args.Length == 0
    ? new FirmwareImage(SmallFirmware())
    : new FirmwareImage(File.ReadAllBytes(args[0]))
    {
        Name = args[0],
        Files = [.. args.Skip(1).Select(path => new FirmwareFile("vgaroms/" + Path.GetFileName(path), File.ReadAllBytes(path)))],
    };

using Machine machine = new(Hypervisors.BestAvailable(), new MachineOptions { Firmware = firmware });
using CancellationTokenSource limit = new(TimeSpan.FromSeconds(5));
MachineOutcome outcome = machine.Run(limit.Token);

VgaTextScreen screen = machine.Display.Read();
Console.Write(screen);
Console.WriteLine($"{screen.Columns} by {screen.Rows}; the machine ended: {outcome}");
return 0;

static byte[] SmallFirmware()
{
    byte[] rom = new byte[0x1_0000];
    ReadOnlySpan<byte> code =
    [
        0xB8, 0x00, 0xB8, 0x8E, 0xC0, // mov ax, 0xB800; mov es, ax
        0x31, 0xFF, 0xBE, 0x40, 0x00, // xor di, di; mov si, text
        0xB4, 0x1E,                   // mov ah, yellow on blue
        0x2E, 0xAC, 0x84, 0xC0,       // next: cs lodsb; test al, al
        0x74, 0x03, 0xAB, 0xEB, 0xF7, // jz done; stosw; jmp next
        0xBA, 0xF9, 0x0C, 0xB0, 0x06, // done: mov dx, 0xCF9; mov al, 6
        0xEE, 0xF4,                   // out dx, al: reset; hlt
    ];
    code.CopyTo(rom);
    "Hello from the reset vector"u8.CopyTo(rom.AsSpan(0x40));
    ReadOnlySpan<byte> resetVector = [0xEA, 0x00, 0x00, 0x00, 0xF0]; // jmp 0xF000:0
    resetVector.CopyTo(rom.AsSpan(0xFFF0));
    return rom;
}
