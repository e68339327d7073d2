namespace Vmm.X86.Execution;

/// <summary>
/// Bits of <see cref="VcpuState.Mode"/>: everything that changes what a byte sequence decodes to, or which checks its handlers may leave
/// out.
/// Blocks are keyed by physical page and this value.
/// </summary>
public static class ExecutionMode
{
    /// <summary>The bits that give the default operand and address size.</summary>
    public const uint CodeSizeMask = 3;

    /// <summary>16-bit code.</summary>
    public const uint Code16 = 0;

    /// <summary>32-bit code.</summary>
    public const uint Code32 = 1;

    /// <summary>64-bit code.</summary>
    public const uint Code64 = 2;

    /// <summary>The stack pointer is ESP (or RSP) rather than SP.</summary>
    public const uint BigStack = 4;

    /// <summary>
    /// CS, DS, ES and SS have base 0, limit 4 GiB and ordinary rights: no check can fail (always so in 64-bit code, canonical check apart).
    /// </summary>
    public const uint Flat = 8;

    /// <summary>CR0.PE.</summary>
    public const uint Protected = 0x10;

    /// <summary>Virtual-8086.</summary>
    public const uint Virtual8086 = 0x20;

    /// <summary>CPL is 3: instruction fetches are user accesses.</summary>
    public const uint User = 0x40;

    /// <summary>EFER.LMA: IA-32e mode (64-bit or compatibility).</summary>
    public const uint LongMode = 0x80;

    /// <summary>CR0.EM and CR0.TS are clear: x87 and MMX instructions may run.</summary>
    public const uint FpuUsable = 0x100;

    /// <summary>CR0.EM and CR0.TS are clear and CR4.OSFXSR is set: SSE instructions may run.</summary>
    public const uint SseUsable = 0x200;

    /// <summary>CR0.PE with paging on.</summary>
    public const uint Paging = 0x400;

    /// <summary>TF or RF is set or a breakpoint is enabled: every instruction runs alone.</summary>
    public const uint SingleStep = 0x800;

    /// <summary>
    /// Protected mode, not virtual-8086, with CR4.OSXSAVE set, XCR0 bits 1 and 2 set and CR0.TS clear: VEX-encoded vector instructions may
    /// run.
    /// </summary>
    public const uint AvxUsable = 0x1000;

    /// <summary>CR4.LA57 in IA-32e mode: linear addresses have 57 bits, which branch handlers by page do not check.</summary>
    public const uint FiveLevel = 0x2000;

    /// <summary>The host's debugger has breakpoints: blocks end before them.</summary>
    public const uint HostBreakpoints = 0x4000;
}
