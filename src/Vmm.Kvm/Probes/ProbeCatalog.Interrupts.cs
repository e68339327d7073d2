namespace Vmm.Kvm.Probes;

internal static partial class ProbeCatalog
{
    // xor eax, eax; int3; int 0x40; out 0xFD, eax: the handler of both adds 1 and returns.
    private static readonly byte[] s_interrupts = [0x31, 0xC0, 0xCC, 0xCD, 0x40, 0xE7, 0xFD];
    private static readonly byte[] s_interrupts16 = [0x66, 0x31, 0xC0, 0xCC, 0xCD, 0x40, 0x66, 0xE7, 0xFD];
    private static readonly byte[] s_count16 = [0x66, 0x83, 0xC0, 0x01, 0xCF]; // add eax, 1; iret
    private static readonly byte[] s_count32 = [0x83, 0xC0, 0x01, 0xCF]; // add eax, 1; iretd
    private static readonly byte[] s_count64 = [0x83, 0xC0, 0x01, 0x48, 0xCF]; // add eax, 1; iretq

    private static LimitProbe[] Interrupts =>
    [
        Interrupt(Quirk.ProtectedModeInterrupts, "INT n, INT3 and IRET, real mode", ProbeMode.Real, s_interrupts16, s_count16),
        Interrupt(Quirk.ProtectedModeInterrupts, "INT n, INT3 and IRET, 16-bit protected mode", ProbeMode.Protected16, s_interrupts16, s_count16),
        Interrupt(Quirk.ProtectedModeInterrupts, "INT n, INT3 and IRET, 32-bit protected mode", ProbeMode.Protected32, s_interrupts, s_count32),
        new()
        {
            // push UserData; push Stack - 64; pushfd; or dword [esp], 0x3000; push UserCode32; push the OUT; iretd; out 0xFD, eax
            Quirk = Quirk.ProtectedModeInterrupts, Name = "IRET to level 3, 32-bit protected mode", Mode = ProbeMode.Protected32,
            Expected = ProbeEnd.Answer(Marker),
            Code =
            [
                0xB8, 0x01, 0x00, 0xFE, 0x5A, 0x6A, 0x33, 0x68, 0xC0, 0xEF, 0x00, 0x00, 0x9C, 0x81, 0x0C, 0x24, 0x00, 0x30, 0x00, 0x00,
                0x6A, 0x2B, 0x68, 0x1C, 0x50, 0x00, 0x00, 0xCF, 0xE7, 0xFD,
            ],
        },
        Interrupt(Quirk.LongModeInterrupts, "INT n and INT3, 64-bit mode", ProbeMode.Long, s_interrupts, s_count64),
        Interrupt(Quirk.UserInterrupts, "INT n and INT3, level 3 of 64-bit mode", ProbeMode.LongUser, s_interrupts, s_count64),
        Interrupt(Quirk.LegacyUserCode, "INT n and INT3, level 3 of 32-bit protected mode", ProbeMode.Protected32User, s_interrupts, s_count32),
        new()
        {
            // ud2 with an interrupt table of no vectors
            Quirk = Quirk.RealModeShutdown, Name = "triple fault, real mode", Mode = ProbeMode.Real, VectorLimit = 0, Expected = ProbeEnd.Shutdown,
            Code = [0x0F, 0x0B],
        },
    ];

    private static LimitProbe Interrupt(Quirk quirk, string name, ProbeMode mode, byte[] code, byte[] handler) => new()
    {
        Quirk = quirk, Name = name, Mode = mode, Code = code, Handler = handler, Vectors = [3, 0x40], Expected = ProbeEnd.Answer(2),
    };
}
