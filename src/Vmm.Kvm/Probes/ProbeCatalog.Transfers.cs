namespace Vmm.Kvm.Probes;

internal static partial class ProbeCatalog
{
    private const uint Star = 0xC000_0081, Lstar = 0xC000_0082, SyscallMask = 0xC000_0084, SysenterCs = 0x174, SysenterEsp = 0x175, SysenterEip = 0x176;

    private static LimitProbe[] Transfers =>
    [
        new()
        {
            // push UserData; push Stack - 64; push UserCode32; push what follows; retf; hlt, which is #GP at level 3
            Quirk = Quirk.OutwardReturn, Name = "RETF to level 3, 32-bit protected mode", Mode = ProbeMode.Protected32, Expected = ProbeEnd.Exception(13),
            Code = [0x6A, 0x33, 0x68, 0xC0, 0xEF, 0x00, 0x00, 0x6A, 0x2B, 0x68, 0x0F, 0x50, 0x00, 0x00, 0xCB, 0xF4],
        },
        new()
        {
            // the same with UserCode64 and RETFQ
            Quirk = Quirk.OutwardReturn, Name = "RETF to level 3, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Exception(13),
            Code = [0x6A, 0x33, 0x68, 0xC0, 0xEF, 0x00, 0x00, 0x6A, 0x3B, 0x68, 0x10, 0x50, 0x00, 0x00, 0x48, 0xCB, 0xF4],
        },
        new()
        {
            // syscall; out 0xFD, eax -- handler: mov eax, cs; sysretq
            Quirk = Quirk.SystemCalls, Name = "SYSCALL and SYSRET, 64-bit mode", Mode = ProbeMode.LongUser, Expected = ProbeEnd.Answer(ProbeLayout.Code64),
            Code = [0x0F, 0x05, 0xE7, 0xFD], Handler = [0x8C, 0xC8, 0x48, 0x0F, 0x07],
            Msrs = [(Star, ((ulong)ProbeLayout.Code64 << 32) | (0x2BUL << 48)), (Lstar, ProbeLayout.Handler), (SyscallMask, 0x3000)],
        },
        new()
        {
            // sysenter; out 0xFD, eax -- handler: mov eax, cs; mov edx, the OUT; mov ecx, Stack - 64; sysexit
            Quirk = Quirk.LegacyUserCode, Name = "SYSENTER and SYSEXIT, 32-bit protected mode", Mode = ProbeMode.Protected32User,
            Expected = ProbeEnd.Answer(ProbeLayout.Code32), Code = [0x0F, 0x34, 0xE7, 0xFD],
            Handler = [0x8C, 0xC8, 0xBA, 0x02, 0x50, 0x00, 0x00, 0xB9, 0xC0, 0xEF, 0x00, 0x00, 0x0F, 0x35],
            Msrs = [(SysenterCs, ProbeLayout.Code32), (SysenterEsp, ProbeLayout.PrivilegedStack), (SysenterEip, ProbeLayout.Handler)],
        },
        new()
        {
            // mov eax, cs; out 0xFD, eax
            Quirk = Quirk.UserSeesHost, Name = "MOV shows CS, level 3 of 64-bit mode", Mode = ProbeMode.LongUser,
            Expected = ProbeEnd.Answer(ProbeLayout.UserCode64), Code = [0x8C, 0xC8, 0xE7, 0xFD],
        },
        Flags("PUSHF shows IF clear, level 3 of 64-bit mode", 0x200, 0),
        Flags("PUSHF shows IOPL 3, level 3 of 64-bit mode", 0x3000, 0x3000),
        new()
        {
            // smsw eax; out 0xFD, eax
            Quirk = Quirk.UserSeesHost, Name = "SMSW shows CR0, level 3 of 64-bit mode", Mode = ProbeMode.LongUser,
            Expected = ProbeEnd.Answer((uint)ProbeRegisters.PagedCr0), Code = [0x0F, 0x01, 0xE0, 0xE7, 0xFD],
        },
    ];

    // pushfq; pop rax; and eax, mask; out 0xFD, eax
    private static LimitProbe Flags(string name, uint mask, uint expected) => new()
    {
        Quirk = Quirk.UserSeesHost, Name = name, Mode = ProbeMode.LongUser, Expected = ProbeEnd.Answer(expected),
        Code = [0x9C, 0x58, 0x25, .. BitConverter.GetBytes(mask), 0xE7, 0xFD],
    };
}
