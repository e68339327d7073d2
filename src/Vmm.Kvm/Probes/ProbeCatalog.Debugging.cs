namespace Vmm.Kvm.Probes;

internal static partial class ProbeCatalog
{
    private const ulong Enable = 2, FourByteWrites = 0b1101UL << 16; // DR7: G0; R/W0 and LEN0

    // nop; nop; out 0xFD, eax
    private static readonly byte[] s_nothing = [0x90, 0x90, 0xE7, 0xFD];

    // mov [rbx], eax; nop; out 0xFD, eax
    private static readonly byte[] s_store = [0x89, 0x03, 0x90, 0xE7, 0xFD];

    // pushf; or dword [rsp], 0x100; popf; nop; out 0xFD, eax
    private static readonly byte[] s_trap = [0x9C, 0x81, 0x0C, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9D, 0x90, 0xE7, 0xFD];

    private static LimitProbe[] Debugging =>
    [
        Debug(Quirk.TrapFlag, "trap flag, 32-bit protected mode", ProbeMode.Protected32, s_trap),
        Debug(Quirk.TrapFlag, "trap flag, 64-bit mode", ProbeMode.Long, s_trap),
        Debug(Quirk.TrapFlag, "trap flag, level 3 of 64-bit mode", ProbeMode.LongUser, s_trap),
        Debug(Quirk.ExecuteBreakpoints, "instruction breakpoint, 32-bit protected mode", ProbeMode.Protected32, s_nothing, ProbeLayout.Code + 1, Enable),
        Debug(Quirk.ExecuteBreakpoints, "instruction breakpoint, 64-bit mode", ProbeMode.Long, s_nothing, ProbeLayout.Code + 1, Enable),
        Debug(Quirk.ExecuteBreakpoints, "instruction breakpoint, level 3 of 64-bit mode", ProbeMode.LongUser, s_nothing, ProbeLayout.Code + 1, Enable),
        Debug(Quirk.DataBreakpoints, "data breakpoint, 32-bit protected mode", ProbeMode.Protected32, s_store, ProbeLayout.Data, Enable | FourByteWrites),
        Debug(Quirk.DataBreakpoints, "data breakpoint, 64-bit mode", ProbeMode.Long, s_store, ProbeLayout.Data, Enable | FourByteWrites),
        Debug(Quirk.DataBreakpoints, "data breakpoint, level 3 of 64-bit mode", ProbeMode.LongUser, s_store, ProbeLayout.Data, Enable | FourByteWrites),
    ];

    private static LimitProbe[] HostDebugging =>
    [
        HostPoint(Capability.Breakpoints, "32-bit protected mode", ProbeMode.Protected32),
        HostPoint(Capability.Breakpoints, "64-bit mode", ProbeMode.Long),
        HostPoint(Capability.Breakpoints, "level 3 of 64-bit mode", ProbeMode.LongUser),
        HostPoint(Capability.Watchpoints, "32-bit protected mode", ProbeMode.Protected32),
        HostPoint(Capability.Watchpoints, "64-bit mode", ProbeMode.Long),
        HostPoint(Capability.Watchpoints, "level 3 of 64-bit mode", ProbeMode.LongUser),
    ];

    private static LimitProbe HostPoint(Capability capability, string where, ProbeMode mode)
    {
        bool executes = capability == Capability.Breakpoints;
        return new LimitProbe
        {
            Quirk = new Quirk(capability.Name, $"The {(executes ? "breakpoints" : "watchpoints")} of the host's debugger are not hit everywhere."),
            Name = $"{(executes ? "breakpoint" : "watchpoint")} of the host, {where}", Mode = mode, Code = executes ? s_nothing : s_store,
            HostPoint = executes ? new DebugPoint(DebugPointKind.Execute, ProbeLayout.Code + 1) : new DebugPoint(DebugPointKind.Write, ProbeLayout.Data, 4),
            Expected = ProbeEnd.DebugStop,
        };
    }

    private static LimitProbe Debug(Quirk quirk, string name, ProbeMode mode, byte[] code, ulong address = 0, ulong control = 0) => new()
    {
        Quirk = quirk, Name = name, Mode = mode, Code = code, Handler = s_reached, Vectors = [1], Breakpoint = (address, control),
        Expected = ProbeEnd.Answer(Marker),
    };
}
