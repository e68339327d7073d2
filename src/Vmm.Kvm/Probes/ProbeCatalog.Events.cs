namespace Vmm.Kvm.Probes;

internal static partial class ProbeCatalog
{
    private const byte Injected = 0x40;

    // mov eax, ecx; out 0xFD, eax: how many instructions came before.
    private static readonly byte[] s_counted = [0x89, 0xC8, 0xE7, 0xFD];

    private static LimitProbe[] Events =>
    [
        new()
        {
            // push 0x202; popfq; inc ecx, four times; hlt
            Quirk = Quirk.LateInterrupts, Name = "interrupt right after POPF sets IF, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Answer(0),
            Code = [0x68, 0x02, 0x02, 0x00, 0x00, 0x9D, 0xFF, 0xC1, 0xFF, 0xC1, 0xFF, 0xC1, 0xFF, 0xC1, 0xF4],
            Handler = s_counted, Vectors = [Injected], Events = [InjectedEvent.Interrupt(Injected)],
        },
        new()
        {
            // sti; inc ecx, four times; hlt
            Quirk = Quirk.LateInterrupts, Name = "interrupt one instruction after STI, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Answer(1),
            Code = [0xFB, 0xFF, 0xC1, 0xFF, 0xC1, 0xFF, 0xC1, 0xFF, 0xC1, 0xF4],
            Handler = s_counted, Vectors = [Injected], Events = [InjectedEvent.Interrupt(Injected)],
        },
        new()
        {
            // inc ecx, four times; hlt -- handler: inc esi; cmp esi, 2; je the end; out 0xFC, al; iretq; the end: mov eax, ecx; out 0xFD,
            // eax
            Quirk = Quirk.LateInterrupts, Name = "NMI right after the IRET of another, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Answer(0),
            Code = [0xFF, 0xC1, 0xFF, 0xC1, 0xFF, 0xC1, 0xFF, 0xC1, 0xF4],
            Handler = [0xFF, 0xC6, 0x83, 0xFE, 0x02, 0x74, 0x04, 0xE6, 0xFC, 0x48, 0xCF, 0x89, 0xC8, 0xE7, 0xFD], Vectors = [2],
            Events = [InjectedEvent.Nmi, InjectedEvent.Nmi],
        },
        new()
        {
            // ud2 -- handler: movzx eax, sp; out 0xFD, eax
            Quirk = Quirk.WideFrames, Name = "exception through a 16-bit gate", Mode = ProbeMode.Protected16, Expected = ProbeEnd.Answer(ProbeLayout.Stack - 6),
            Code = [0x0F, 0x0B], Handler = [0x66, 0x0F, 0xB7, 0xC4, 0x66, 0xE7, 0xFD], Vectors = [6],
        },
        new()
        {
            // Enable the APIC, logical destination 1, task priority 0x20; send vectors 0x41 and 0x42 to 1 and 2, lowest priority; mov eax,
            // [IRR]; out 0xFD, eax
            Quirk = Quirk.LowestPriorityByTurns, Name = "lowest-priority messages, two processors", Mode = ProbeMode.Protected32,
            Expected = ProbeEnd.Answer(0), LocalApic = LocalApicMode.XApic,
            Code =
            [
                0xC7, 0x05, 0xF0, 0x00, 0xE0, 0xFE, 0xFF, 0x01, 0x00, 0x00, 0xC7, 0x05, 0xD0, 0x00, 0xE0, 0xFE, 0x00, 0x00, 0x00, 0x01,
                0xC7, 0x05, 0x80, 0x00, 0xE0, 0xFE, 0x20, 0x00, 0x00, 0x00, 0xC7, 0x05, 0x10, 0x03, 0xE0, 0xFE, 0x00, 0x00, 0x00, 0x03,
                0xC7, 0x05, 0x00, 0x03, 0xE0, 0xFE, 0x41, 0x49, 0x00, 0x00, 0xC7, 0x05, 0x00, 0x03, 0xE0, 0xFE, 0x42, 0x49, 0x00, 0x00,
                0xA1, 0x20, 0x02, 0xE0, 0xFE, 0xE7, 0xFD,
            ],
        },
    ];
}
