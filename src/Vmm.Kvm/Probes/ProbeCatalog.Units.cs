namespace Vmm.Kvm.Probes;

internal static partial class ProbeCatalog
{
    // fninit; fld1; fld1; faddp; fistp dword [rbx]; mov eax, [rbx]; out 0xFD, eax
    private static readonly byte[] s_x87 = [0xDB, 0xE3, 0xD9, 0xE8, 0xD9, 0xE8, 0xDE, 0xC1, 0xDB, 0x1B, 0x8B, 0x03, 0xE7, 0xFD];
    private static readonly byte[] s_x87In16 = [0xDB, 0xE3, 0xD9, 0xE8, 0xD9, 0xE8, 0xDE, 0xC1, 0xDB, 0x1F, 0x66, 0x8B, 0x07, 0x66, 0xE7, 0xFD];

    // mov eax, 0x11; movd mm1, eax; paddd mm1, mm1; movd eax, mm1; out 0xFD, eax
    private static readonly byte[] s_mmx = [0xB8, 0x11, 0x00, 0x00, 0x00, 0x0F, 0x6E, 0xC8, 0x0F, 0xFE, 0xC9, 0x0F, 0x7E, 0xC8, 0xE7, 0xFD];

    // the same with xmm1
    private static readonly byte[] s_sse =
        [0xB8, 0x11, 0x00, 0x00, 0x00, 0x66, 0x0F, 0x6E, 0xC8, 0x66, 0x0F, 0xFE, 0xC9, 0x66, 0x0F, 0x7E, 0xC8, 0xE7, 0xFD];

    private static readonly byte[] s_sseIn16 =
        [0x66, 0xB8, 0x11, 0x00, 0x00, 0x00, 0x66, 0x0F, 0x6E, 0xC8, 0x66, 0x0F, 0xFE, 0xC9, 0x66, 0x0F, 0x7E, 0xC8, 0x66, 0xE7, 0xFD];

    private static readonly byte[] s_lar = [0xB9, 0x10, 0x00, 0x00, 0x00, 0x0F, 0x02, 0xC1, 0x25, 0x00, 0xFF, 0xF0, 0x00, 0xE7, 0xFD];

    private static LimitProbe[] Units =>
    [
        Unit(Quirk.SupervisorX87, "x87, real mode", ProbeMode.Real, s_x87In16, 2),
        Unit(Quirk.SupervisorX87, "x87, 32-bit protected mode", ProbeMode.Protected32, s_x87, 2),
        Unit(Quirk.SupervisorX87, "x87, 64-bit mode", ProbeMode.Long, s_x87, 2),
        Unit(Quirk.UserX87, "x87, level 3 of 64-bit mode", ProbeMode.LongUser, s_x87, 2),
        Unit(Quirk.LegacyUserCode, "x87, level 3 of 32-bit protected mode", ProbeMode.Protected32User, s_x87, 2),
        Unit(Quirk.LegacyUserCode, "x87, level 3 of compatibility mode", ProbeMode.CompatibilityUser, s_x87, 2),
        Unit(Quirk.SupervisorVectors, "MMX, 64-bit mode", ProbeMode.Long, s_mmx, 0x22),
        Unit(Quirk.SupervisorVectors, "SSE2, real mode", ProbeMode.Real, s_sseIn16, 0x22),
        Unit(Quirk.SupervisorVectors, "SSE2, 32-bit protected mode", ProbeMode.Protected32, s_sse, 0x22),
        Unit(Quirk.SupervisorVectors, "SSE2, 64-bit mode", ProbeMode.Long, s_sse, 0x22),
        Unit(Quirk.UserVectors, "SSE2, level 3 of 64-bit mode", ProbeMode.LongUser, s_sse, 0x22),
        Unit(Quirk.LegacyUserCode, "SSE2, level 3 of compatibility mode", ProbeMode.CompatibilityUser, s_sse, 0x22),
    ];

    private static LimitProbe[] Instructions =>
    [
        // mov al, 0x15; add al, 0x27; daa; movzx eax, al; out 0xFD, eax
        Unit(
            Quirk.SupervisorInstructions, "DAA, 32-bit protected mode", ProbeMode.Protected32, [0xB0, 0x15, 0x04, 0x27, 0x27, 0x0F, 0xB6, 0xC0, 0xE7, 0xFD],
            0x42),

        // mov ecx, Data0; lar eax, cx; and eax, 0xF0FF00; out 0xFD, eax
        Unit(Quirk.SupervisorInstructions, "LAR, 32-bit protected mode", ProbeMode.Protected32, s_lar, 0x00C0_9300),
        Unit(Quirk.SupervisorInstructions, "LAR, 64-bit mode", ProbeMode.Long, s_lar, 0x00C0_9300),

        // xor eax, eax; xor edx, edx; mov ecx, 1; lock cmpxchg16b [rbx]; mov eax, [rbx + 8]; out 0xFD, eax
        Unit(
            Quirk.SupervisorInstructions, "CMPXCHG16B, 64-bit mode", ProbeMode.Long,
            [0x31, 0xC0, 0x31, 0xD2, 0xB9, 0x01, 0x00, 0x00, 0x00, 0xF0, 0x48, 0x0F, 0xC7, 0x0B, 0x8B, 0x43, 0x08, 0xE7, 0xFD], 1),
        new()
        {
            // POPCNT of 0x11 where the guest has it
            Quirk = Quirk.SupervisorInstructions, Name = "POPCNT, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Answer(2),
            Code = [0xB8, 0x11, 0x00, 0x00, 0x00, 0xF3, 0x0F, 0xB8, 0xC0, 0xE7, 0xFD], Profile = CpuProfiles.V2,
        },
    ];

    private static LimitProbe Unit(Quirk quirk, string name, ProbeMode mode, byte[] code, uint answer) =>
        new() { Quirk = quirk, Name = name, Mode = mode, Code = code, Expected = ProbeEnd.Answer(answer) };
}
