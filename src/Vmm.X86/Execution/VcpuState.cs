using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>
/// The whole architectural state of one virtual processor, as one block of native memory. Handlers address registers by their byte offset
/// in
/// this block, so that decoded code is shared between processors and a translating tier can pin its address in one host register.
/// </summary>
/// <remarks>Only the thread that runs the processor touches it while guest code runs; <see cref="Kick"/> alone is written by other
/// threads.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuState
{
    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15: the order of the encoding. AH is byte 1 of RAX.</summary>
    public fixed ulong General[16];

    /// <summary>Always zero: what an absent base or index register points to.</summary>
    public ulong Zero;

    /// <summary>
    /// Non-zero asks the processor to leave guest code at the next block boundary. Set it through <see cref="ProcessorCore.RequestKick"/>,
    /// which
    /// any thread may call; the owner clears bits with <see cref="ProcessorCore.ClearKick"/>.
    /// </summary>
    public uint Kick;

    /// <summary>Key of the execution mode: decoded code belongs to one key. See <see cref="ExecutionMode"/>.</summary>
    public uint Mode;

    /// <summary>
    /// RIP of the first byte of the linear page that is executing, so that an operation's RIP is this plus its page offset. Jumps inside a
    /// page
    /// leave it alone.
    /// </summary>
    public ulong PageRip;

    /// <summary>RIP at an instruction boundary (exact outside a block; inside one, derived from <see cref="PageRip"/>).</summary>
    public ulong Rip;

    // Lazy arithmetic flags: see LazyFlags.

    /// <summary>The last arithmetic result, sign-extended to 64 bits: ZF, SF and PF come from it.</summary>
    public ulong FlagResult;

    /// <summary>Carry into each bit (operand1 ^ operand2 ^ result), sign-extended to 64 bits: AF is bit 4; OF is bit 63 ^ CF.</summary>
    public ulong FlagCarries;

    /// <summary>
    /// Bit 0 is CF. Bit 8 inverts SF and bit 9 inverts PF as derived from <see cref="FlagResult"/> (set by POPF, SAHF and the like).
    /// </summary>
    public uint FlagCarry;

    /// <summary>RFLAGS without the six arithmetic flags: TF, IF, DF, IOPL, NT, RF, VM, AC, VIF, VIP, ID; bit 1 is always set.</summary>
    public uint FlagsSystem;

    /// <summary>Current privilege level, 0 to 3.</summary>
    public uint Cpl;

    /// <summary>Instructions retired since the processor was made.</summary>
    public ulong InstructionsRetired;

    /// <summary>
    /// Instructions of the block that have retired before the one whose table handler runs, and are not yet in
    /// <see cref="InstructionsRetired"/>. Of no meaning elsewhere.
    /// </summary>
    public uint Before;

    /// <summary>
    /// Guest code looks outside once <see cref="InstructionsRetired"/> has reached this: the run's budget, or 0 after a kick (see
    /// <see cref="ProcessorCore.RequestKick"/>). It is compared at every block end, so that one compare serves both.
    /// </summary>
    public ulong PollLimit;

    /// <summary>
    /// Epoch of code, number of the address space and <see cref="Mode"/>: what a jump cache entry must have been made under.
    /// </summary>
    public ulong JumpKey;

    /// <summary>Jump cache: native array of entries, private to the engine.</summary>
    internal JumpCacheEntry* JumpCache;

    /// <summary>The soft TLB bank in use for reads: <see cref="SoftTlb.Entries"/> entries.</summary>
    public TlbEntry* ReadTlb;

    /// <summary>The soft TLB bank in use for writes: <see cref="SoftTlb.Entries"/> entries.</summary>
    public TlbEntry* WriteTlb;

    /// <summary>ES, CS, SS, DS, FS, GS, then LDTR and TR: the order of the encoding.</summary>
    public SegmentArray Segments;

    /// <summary>Descriptor table registers.</summary>
    public TableRegister Gdtr;

    /// <inheritdoc cref="Gdtr"/>
    public TableRegister Idtr;

    /// <summary>Control registers.</summary>
    public ulong Cr0, Cr2, Cr3, Cr4, Cr8, Xcr0;

    /// <summary>PDPTE registers, loaded with CR3 in PAE mode (SDM Vol. 3A 4.4.1).</summary>
    public fixed ulong Pdpte[4];

    /// <summary>DR0 to DR7; DR4 and DR5 are unused.</summary>
    public fixed ulong Debug[8];

    /// <summary>Model-specific registers that the instruction handlers themselves use.</summary>
    public ulong Efer, Star, Lstar, Cstar, SyscallMask, KernelGsBase, SysenterCs, SysenterEsp, SysenterEip, TscAux, Pat, ApicBase;

    /// <summary>More model-specific registers kept as state.</summary>
    public ulong MiscEnable, TscOffset, TscAdjust, Xss, MicrocodeRevision, MtrrDefaultType;

    /// <summary>Fixed-range MTRRs: 64K_00000, 16K_80000, 16K_A0000, 4K_C0000 to 4K_F8000 (SDM Vol. 3A 12.11.2.2).</summary>
    public fixed ulong MtrrFixed[11];

    /// <summary>Variable-range MTRRs: base and mask in turn, eight pairs.</summary>
    public fixed ulong MtrrVariable[16];

    /// <summary>XMM/YMM registers: 32 bytes each, the XMM part first.</summary>
    public fixed ulong Vector[16 * 4];

    /// <summary>PKRU: two bits for each protection key, access disable and write disable.</summary>
    public uint Pkru;

    /// <summary>MXCSR.</summary>
    public uint Mxcsr;

    /// <summary>
    /// x87 control word, status word (TOP included), and tag word with one bit a physical register: 1 = not empty (FXSAVE's form).
    /// </summary>
    public ushort FpuControl, FpuStatus, FpuTags;

    /// <summary>x87 last opcode (11 bits).</summary>
    public ushort FpuOpcode;

    /// <summary>x87 last instruction and operand pointers, with their selectors.</summary>
    public ulong FpuInstructionPointer, FpuDataPointer;

    /// <inheritdoc cref="FpuInstructionPointer"/>
    public ushort FpuInstructionSelector, FpuDataSelector;

    /// <summary>
    /// Physical x87 registers R0 to R7, 16 bytes each: significand, then sign and exponent. MMX registers are the significands.
    /// </summary>
    public fixed ulong Fpu[16];

    /// <summary>What the processor is doing: <see cref="Activity"/>.</summary>
    public Activity Activity;

    /// <summary>Interrupts (and debug traps for MOV SS) are held off until the next instruction has retired.</summary>
    public InterruptShadow Shadow;

    /// <summary>NMIs are blocked until IRET.</summary>
    public bool NmiBlocked;

    /// <summary>The event that stopped the current instruction, valid after <see cref="Outcome.Fault"/>.</summary>
    public PendingFault Fault;

    /// <summary>
    /// The event whose delivery has begun but had to stop for something outside; <see cref="EventKind.None"/> when there is none.
    /// </summary>
    public PendingEvent Event;

    /// <summary>A trap to deliver after the instruction that set it (single step, data breakpoint): bits of DR6, zero when none.</summary>
    public uint PendingDebugTrap;

    /// <summary>Where an access that has no host pointer of its own is assembled (page crossing, memory-mapped I/O).</summary>
    public fixed byte Bounce[64];

    /// <summary>Offset of <see cref="Zero"/>.</summary>
    internal const ushort ZeroOffset = 16 * 8;

    /// <summary>Offset of <see cref="Vector"/>.</summary>
    internal static readonly ushort VectorOffset = FindVector();

    private static ushort FindVector()
    {
        VcpuState state = default;
        return (ushort)((byte*)&state.Vector[0] - (byte*)&state);
    }

    /// <summary>A general register.</summary>
    /// <param name="state">The state block.</param>
    /// <param name="index">Encoding order, 0 to 15.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* GeneralRegister(VcpuState* state, int index) => &state->General[0] + index;
}
