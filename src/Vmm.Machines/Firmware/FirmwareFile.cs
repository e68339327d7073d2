namespace Vmm.Machines;

/// <summary>A file that firmware finds in its configuration device.</summary>
/// <param name="Name">Its name, 1 to 55 printable ASCII characters without spaces: <c>vgaroms/vga.bin</c>.</param>
/// <param name="Content">Its bytes.</param>
public sealed record FirmwareFile(string Name, ReadOnlyMemory<byte> Content);
