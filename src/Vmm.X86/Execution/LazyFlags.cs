using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>The six arithmetic flags as <see cref="VcpuState"/> holds them, computed only when read.</summary>
// SAFETY: every pointer is the processor's own state block, alive as long as its ProcessorCore.
public static unsafe class LazyFlags
{
    /// <summary>CF: carry.</summary>
    public const uint Cf = 1;

    /// <summary>PF: the low byte of the result has an even number of ones.</summary>
    public const uint Pf = 4;

    /// <summary>AF: carry out of bit 3.</summary>
    public const uint Af = 0x10;

    /// <summary>ZF: the result is zero.</summary>
    public const uint Zf = 0x40;

    /// <summary>SF: the result is negative.</summary>
    public const uint Sf = 0x80;

    /// <summary>TF: single step.</summary>
    public const uint Tf = 0x100;

    /// <summary>IF: interrupts are taken.</summary>
    public const uint If = 0x200;

    /// <summary>DF: string instructions go down.</summary>
    public const uint Df = 0x400;

    /// <summary>OF: signed overflow.</summary>
    public const uint Of = 0x800;

    /// <summary>IOPL: the least privileged level that may do I/O.</summary>
    public const uint Iopl = 0x3000;

    /// <summary>NT: the task is nested in another.</summary>
    public const uint Nt = 0x4000;

    /// <summary>RF: instruction breakpoints are off for one instruction.</summary>
    public const uint Rf = 0x1_0000;

    /// <summary>VM: virtual-8086 mode.</summary>
    public const uint Vm = 0x2_0000;

    /// <summary>AC: alignment check, or access to user pages under SMAP.</summary>
    public const uint Ac = 0x4_0000;

    /// <summary>VIF: virtual IF.</summary>
    public const uint Vif = 0x8_0000;

    /// <summary>VIP: a virtual interrupt is pending.</summary>
    public const uint Vip = 0x10_0000;

    /// <summary>ID: can be changed where there is CPUID.</summary>
    public const uint Id = 0x20_0000;

    /// <summary>CF, PF, AF, ZF, SF, OF.</summary>
    public const uint Arithmetic = Cf | Pf | Af | Zf | Sf | Of;

    private const uint InvertSign = 0x100, InvertParity = 0x200;

    /// <summary>CF as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Carry(VcpuState* s) => s->FlagCarry & 1;

    /// <summary>ZF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Zero(VcpuState* s) => s->FlagResult == 0;

    /// <summary>SF as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Sign(VcpuState* s) => ((uint)(s->FlagResult >> 63) ^ (s->FlagCarry >> 8)) & 1;

    /// <summary>OF as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Overflow(VcpuState* s) => ((uint)(s->FlagCarries >> 63) ^ s->FlagCarry) & 1;

    /// <summary>PF as 0 or 1 (even parity of the low byte).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Parity(VcpuState* s) => ((uint)BitOperations.PopCount((byte)s->FlagResult) ^ (s->FlagCarry >> 9) ^ 1) & 1;

    /// <summary>AF as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Adjust(VcpuState* s) => (uint)(s->FlagCarries >> 4) & 1;

    /// <summary>Records the flags of an arithmetic result: operand1 ^ operand2 ^ result as carries, CF as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Record<T>(VcpuState* s, T result, T carries, uint carry)
        where T : unmanaged
    {
        s->FlagResult = Width.Signed(result);
        s->FlagCarries = Width.Signed(carries);
        s->FlagCarry = carry;
    }

    /// <summary>Records the flags of a logical result: CF, AF and OF clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void RecordLogic<T>(VcpuState* s, T result)
        where T : unmanaged
    {
        s->FlagResult = Width.Signed(result);
        s->FlagCarries = 0;
        s->FlagCarry = 0;
    }

    /// <summary>Records the flags of a shift: AF clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void RecordShift<T>(VcpuState* s, T result, uint carry, uint overflow)
        where T : unmanaged
    {
        s->FlagResult = Width.Signed(result);
        s->FlagCarries = (ulong)(overflow ^ carry) << 63;
        s->FlagCarry = carry;
    }

    /// <summary>Changes CF and OF alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void RecordRotate(VcpuState* s, uint carry, uint overflow)
    {
        s->FlagCarries = (s->FlagCarries & (ulong.MaxValue >> 1)) | ((ulong)(overflow ^ carry) << 63);
        s->FlagCarry = (s->FlagCarry & ~1u) | carry;
    }

    /// <summary>Changes CF alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetCarry(VcpuState* s, uint carry)
    {
        s->FlagCarries ^= (ulong)((s->FlagCarry ^ carry) & 1) << 63; // OF is relative to CF
        s->FlagCarry = (s->FlagCarry & ~1u) | carry;
    }

    /// <summary>Changes ZF (and CF and OF) without touching the rest.</summary>
    internal static void SetZero(VcpuState* s, bool zero) =>
        SetArithmetic(s, (Get(s) & ~(ulong)Zf) | (zero ? Zf : 0));

    /// <summary>The whole RFLAGS.</summary>
    public static ulong Get(VcpuState* s) =>
        s->FlagsSystem | Carry(s) | (Parity(s) << 2) | (Adjust(s) << 4) | (Zero(s) ? Zf : 0) | (Sign(s) << 7) | (Overflow(s) << 11);

    /// <summary>Sets the six arithmetic flags from their RFLAGS positions; other bits are ignored.</summary>
    public static void SetArithmetic(VcpuState* s, ulong flags)
    {
        // ZF decides the result; SF and PF are then corrected by the inversion bits.
        uint f = (uint)flags;
        ulong result = (f & Zf) != 0 ? 0UL : (f & Sf) != 0 ? 0x8000_0000_0000_0003UL : 3UL;
        uint carry = f & Cf;
        if ((uint)(result >> 63) != ((f >> 7) & 1))
            carry |= InvertSign;
        if ((f & Pf) == 0)
            carry |= InvertParity; // both chosen results have even parity
        s->FlagResult = result;
        s->FlagCarry = carry;
        s->FlagCarries = ((f & Af) != 0 ? 0x10UL : 0) | ((((f >> 11) ^ f) & 1) != 0 ? 1UL << 63 : 0);
    }

    /// <summary>Sets the whole RFLAGS: arithmetic and system bits as given, bit 1 set, reserved bits clear.</summary>
    public static void Set(VcpuState* s, ulong flags)
    {
        SetArithmetic(s, flags);
        s->FlagsSystem = ((uint)flags & (Tf | If | Df | Iopl | Nt | Rf | Vm | Ac | Vif | Vip | Id)) | 2;
    }
}
