using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>
/// Control words: four roundings, three precisions, and masks all set, all clear, and clear one at a time (all set only where the host's
/// answers to
/// unmasked exceptions are not established).
/// </summary>
internal static class ControlWords
{
    public static ushort[] All { get; } = Make(0x000, 0x200, 0x300);

    /// <summary>For instructions that ignore precision control: one setting that would show if they did not.</summary>
    public static ushort[] Extended { get; } = Make(0x000, 0x300);

    private static ushort[] Make(params int[] precisions)
    {
        int[] masks = HostProcessor.IsAmd ? [0x3F, 0x00, 0x3E, 0x3D, 0x3B, 0x37, 0x2F, 0x1F] : [0x3F];
        return
        [
            .. from mask in masks
               from precision in precisions
               from rounding in Enumerable.Range(0, 4)
               select (ushort)(mask | 0x40 | precision | (rounding << 10)),
        ];
    }
}
