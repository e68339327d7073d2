using System.Buffers.Binary;
using System.Diagnostics;

namespace Vmm.Devices.Tests;

/// <summary>Runs port accesses on QEMU's PC, in a multiboot guest that does nothing else, with interrupts off.</summary>
internal static class QemuMachine
{
    private const string Program = "qemu-system-x86_64";
    private const int LoadAddress = 0x10_0000;

    /// <summary>Skips with the reason where QEMU is missing, or fails when VMM_REQUIRE names it.</summary>
    public static void Require() => OutsideTool.Require("qemu", Program, "qemu-system-x86");

    /// <summary>The values that the INs read, in order.</summary>
    public static byte[] Run(IReadOnlyList<PortOperation> operations)
    {
        string folder = Directory.CreateTempSubdirectory("vmm-qemu-").FullName;
        try
        {
            string image = Path.Combine(folder, "guest");
            string output = Path.Combine(folder, "output");
            File.WriteAllBytes(image, Assemble(operations));
            string[] arguments =
            [
                "-machine", "pc,accel=tcg", "-m", "16", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "null",
                "-debugcon", $"file:{output}", "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", image,
            ];
            using Process process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true })!;
            if (!process.WaitForExit(60_000))
            {
                process.Kill();
                throw new TimeoutException("QEMU did not end within a minute.");
            }
            process.ExitCode.Should().Be(1, process.StandardError.ReadToEnd());
            byte[] read = File.ReadAllBytes(output);
            int expected = operations.Count(operation => operation.Value is null);
            return read[^expected..];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Assemble(IReadOnlyList<PortOperation> operations)
    {
        List<byte> code = [0xFA];
        foreach (PortOperation operation in operations)
        {
            SetPort(operation.Port);
            if (operation.Value is { } value)
            {
                // mov al, value; out dx, al
                code.AddRange([0xB0, value, 0xEE]);
            }
            else
            {
                // in al, dx; out 0xE9, al
                code.AddRange([0xEC, 0xE6, 0xE9]);
            }
        }
        // xor eax, eax; out 0xF4, al; cli; hlt
        code.AddRange([0x31, 0xC0, 0xE6, 0xF4, 0xFA, 0xF4]);

        byte[] image = new byte[32 + code.Count];
        uint[] header =
        [
            0x1BAD_B002, 0x1_0000, unchecked(0u - 0x1BAD_B002u - 0x1_0000u), LoadAddress, LoadAddress, 0, 0, LoadAddress + 32,
        ];
        for (int index = 0; index < header.Length; index++)
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(index * 4), header[index]);
        code.CopyTo(image, 32);
        return image;

        // mov dx, port
        void SetPort(ushort port) => code.AddRange([0x66, 0xBA, (byte)port, (byte)(port >> 8)]);
    }
}
